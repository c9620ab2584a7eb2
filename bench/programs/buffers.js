// SPDX-License-Identifier: Apache-2.0 OR MIT
// Work for node: Buffers of 0.3 to 12 MB, filled, joined, dropped.
const crypto = require('crypto');
const kept = new Array(40).fill(null);
let random = 1;
for (let turn = 0; turn < 1500; turn++) {
	random = (random * 1103515245 + 12345) % 2147483648;
	kept[turn % 40] = Buffer.allocUnsafe(300000 + random % 12000000).fill(turn);
	if (turn % 100 === 99)
		crypto.createHash('sha1').update(Buffer.concat(kept.slice(0, 10).filter(Boolean))).digest('hex');
}
kept.fill(null);
if (global.gc) global.gc();
console.log('done');
process.stdin.resume();
