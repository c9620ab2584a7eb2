// SPDX-License-Identifier: Apache-2.0 OR MIT
'use strict';
/*
 * flipping_proxy.js LISTEN TARGET: passes bytes to 127.0.0.1:TARGET and back, of whatever protocol, and flips a bit of what the
 * first connections bring, far behind any handshake.
 */
const net = require('net');
const [, , listen, target] = process.argv;
const FLIPPED_BYTE = 100000;
let connectionsToHarm = 3;

net.createServer((client) => {
	const server = net.connect(+target, '127.0.0.1');
	const end = () => { client.destroy(); server.destroy(); };
	let passed = 0;
	let harms = connectionsToHarm > 0;
	server.on('data', (data) => {
		if (harms && passed + data.length > FLIPPED_BYTE) {
			data[FLIPPED_BYTE - passed] ^= 1;
			harms = false;
			connectionsToHarm--;
		}
		passed += data.length;
		if (!client.write(data))
			server.pause();
	});
	client.on('drain', () => server.resume());
	client.pipe(server);
	for (const one of [client, server]) {
		one.on('error', end);
		one.on('close', end);
	}
}).listen(+listen, '127.0.0.1');
