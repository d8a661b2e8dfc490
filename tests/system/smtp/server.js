/*
 * server.js KEY CERT FOLDER - a mail server with moods, one port each, for smtp.sh.
 *
 * Prints "mood port" a line and "ready". What is accepted lies in FOLDER/<n>.eml as received, and its
 * envelope in FOLDER/<n>.json. Ends when its standard input does.
 */
'use strict';
const fs = require('fs');
const net = require('net');
const path = require('path');
const { SMTPServer } = require('smtp-server');

const [keyFile, certFile, folder] = process.argv.slice(2);
const tls = { key: fs.readFileSync(keyFile), cert: fs.readFileSync(certFile) };
let accepted = 0;

function keep(stream, session, callback) {
        const n = ++accepted;
        const chunks = [];
        stream.on('data', (chunk) => chunks.push(chunk));
        stream.on('end', () => {
                fs.writeFileSync(path.join(folder, `${n}.eml`), Buffer.concat(chunks));
                fs.writeFileSync(
                        path.join(folder, `${n}.json`),
                        JSON.stringify({
                                from: session.envelope.mailFrom.address,
                                to: session.envelope.rcptTo.map((r) => r.address),
                                secure: session.secure,
                        }),
                );
                callback();
        });
}

function refusal(code) {
        const error = new Error('no');
        error.responseCode = code;
        return error;
}

/* Reads the whole message, then refuses it. */
function refuseAfter(code) {
        return (stream, session, callback) => {
                stream.on('data', () => {});
                stream.on('end', () => callback(refusal(code)));
        };
}

const plain = { disabledCommands: ['STARTTLS', 'AUTH'] };
const moods = {
        starttls: { ...tls, onData: keep },
        smtps: { ...tls, secure: true, onData: keep },
        plain: { ...plain, onData: keep },
        sender450: { ...plain, onMailFrom: (a, s, callback) => callback(refusal(450)) },
        recipient451: { ...plain, onRcptTo: (a, s, callback) => callback(refusal(451)) },
        recipient550: { ...plain, onRcptTo: (a, s, callback) => callback(refusal(550)) },
        first550: {
                ...plain,
                onRcptTo: (a, s, callback) => callback(a.address.startsWith('desk') ? refusal(550) : null),
                onData: keep,
        },
        message452: { ...plain, onData: refuseAfter(452) },
        message554: { ...plain, onData: refuseAfter(554) },
        slow: { ...plain, onRcptTo: () => {} },
        diesmidway: {
                ...plain,
                onData: (stream, session) => {
                        stream.once('data', () => server.diesmidway.connections.forEach((c) => c._socket.destroy()));
                },
        },
};
const server = {};

async function main() {
        for (const [name, options] of Object.entries(moods)) {
                const one = new SMTPServer({ authOptional: true, logger: false, ...options });
                server[name] = one;
                one.on('error', () => {}); /* Clients that leave, and handshakes that fail. */
                await new Promise((resolve) => one.listen(0, '127.0.0.1', resolve));
                console.log(`${name} ${one.server.address().port}`);
        }
        /* One that accepts connections and never says a word. */
        const silent = net.createServer(() => {});
        await new Promise((resolve) => silent.listen(0, '127.0.0.1', resolve));
        console.log(`silent ${silent.address().port}`);
        console.log('ready');
        process.stdin.resume();
        process.stdin.on('end', () => process.exit(0));
}

main();
