// SPDX-License-Identifier: Apache-2.0 OR MIT
'use strict';
/*
 * fault_proxy.js LISTEN TARGET: an HTTP proxy before 127.0.0.1:TARGET that does as it is told.
 *
 * POST /__faults  a JSON list: the next entry is for the next request; {} passes it on, and so does an empty list.
 *                 With {"always": true} in it an entry stays.
 * GET /__log      what was asked since, as JSON.
 *
 * Of an entry: delay (ms, before anything), hang, rst, close, status (with headers, body), dropRange (the target sees no
 * Range), code and headers (of the target's answer; null takes one away), after (bytes of the body, and `then`: hang, rst or
 * close), corruptAt (a byte of the body), bps (bytes per second).
 */
const http = require('http');
const [, , listen, target] = process.argv;
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
let queue = [];
let log = [];

function control(request, response) {
	if (request.url === '/__log') {
		response.end(JSON.stringify(log));
		return;
	}
	let body = '';
	request.on('data', (data) => { body += data; });
	request.on('end', () => {
		queue = JSON.parse(body || '[]');
		log = [];
		response.end('ok');
	});
}

function next() {
	if (queue.length === 0)
		return {};
	return queue[0].always ? queue[0] : queue.shift();
}

function end(how, request, response) {
	if (how === 'hang')
		return;
	setTimeout(() => how === 'rst' ? request.socket.resetAndDestroy() : request.socket.destroy(), 20);
}

function passBody(fault, request, response, answer) {
	let sent = 0;
	answer.on('data', (data) => {
		if (fault.corruptAt !== undefined && sent <= fault.corruptAt && fault.corruptAt < sent + data.length)
			data[fault.corruptAt - sent] ^= 1;
		if (fault.after !== undefined && sent + data.length >= fault.after) {
			response.write(data.subarray(0, fault.after - sent));
			answer.destroy();
			end(fault.then, request, response);
			return;
		}
		sent += data.length;
		response.write(data);
		if (fault.bps) {
			answer.pause();
			setTimeout(() => answer.resume(), 1000 * data.length / fault.bps);
		}
	});
	answer.on('end', () => response.end());
}

function pass(fault, request, response) {
	const headers = Object.assign({}, request.headers);
	if (fault.dropRange)
		delete headers.range;
	const inner = http.request({ host: '127.0.0.1', port: target, method: request.method, path: request.url, headers, agent },
		(answer) => {
			const all = Object.assign({}, answer.headers, fault.headers || {});
			for (const name of Object.keys(all))
				if (all[name] === null)
					delete all[name];
			response.writeHead(fault.code || answer.statusCode, all);
			passBody(fault, request, response, answer);
		});
	inner.on('error', () => request.socket.destroy());
	request.pipe(inner);
}

function serve(fault, request, response) {
	if (fault.hang)
		return;
	if (fault.rst) {
		request.socket.resetAndDestroy();
	} else if (fault.close) {
		request.socket.destroy();
	} else if (fault.status) {
		response.writeHead(fault.status, Object.assign({ 'content-type': 'application/xml' }, fault.headers));
		response.end(fault.body || '<Error><Code>SlowDown</Code></Error>');
	} else {
		pass(fault, request, response);
	}
}

http.createServer((request, response) => {
	if (request.url.startsWith('/__')) {
		control(request, response);
		return;
	}
	const fault = next();
	log.push({ method: request.method, url: request.url, headers: request.headers });
	if (fault.delay)
		setTimeout(() => serve(fault, request, response), fault.delay);
	else
		serve(fault, request, response);
}).listen(+listen, '127.0.0.1');
