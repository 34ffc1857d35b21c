// Echo, by the library's own AudioSocket and AudioStream. node fonoster.cjs CODE PORT
const { AudioSocket } = require(`${process.argv[2]}/node_modules/@fonoster/streams`);

const server = new AudioSocket();
server.onConnection((request, call) => {
  call.onData((pcm) => call.write(pcm));
  call.onError(() => {});
});
server.listen(Number(process.argv[3]), "127.0.0.1", () => {});
