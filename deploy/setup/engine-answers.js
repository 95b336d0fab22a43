/**
 * Exit status 0 when a Docker Engine answers at DOCKER_HOST or, without it, at the default socket.
 * Plain JavaScript: the setup runs it before any package is installed.
 */
import { connect } from 'node:net';

const host = process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock';
const target = host.startsWith('unix://')
  ? { path: host.slice('unix://'.length) }
  : (({ hostname, port }) => ({ host: hostname, port: Number(port) || 2375 }))(new URL(host));

const socket = connect(target);
const done = (status) => process.exit(status);
socket.setTimeout(3000, () => done(1));
socket.on('error', () => done(1));

if (process.env.DOCKER_TLS_VERIFY) {
  // Who may speak is settled later, by the agent's certificate; here an open port is enough.
  socket.on('connect', () => done(0));
} else {
  let answer = '';
  socket.on('connect', () => socket.write('GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n'));
  socket.on('data', (chunk) => (answer += chunk));
  socket.on('end', () => done(/^HTTP\/1\.\d 200/.test(answer) ? 0 : 1));
}
