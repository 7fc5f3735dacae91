// The compiler, loaded once for all mutants: answers standard JSON on the socket that it is told of. See contract_mutation.py.
"use strict";

const net = require("node:net");
const solc = require("solc");

const server = net.createServer({ allowHalfOpen: true }, (socket) => {
  const chunks = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("end", () => socket.end(solc.compile(Buffer.concat(chunks).toString("utf8"))));
});
server.listen(process.argv[2], () => process.stdout.write("ready\n"));
