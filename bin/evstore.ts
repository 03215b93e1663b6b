#!/usr/bin/env node
// No static imports: on an old Node they would fail before it could be said why.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`error: evstore needs Node 20.19 or later, this is ${process.versions.node} (E_CONFIG)\n`);
  process.exitCode = 2;
} else {
  // Anything that ends the process before the program has returned is a failure.
  process.exitCode = 70;
  void import('../commands/program/start.js').then(({ start }) => start());
}

export {};
