// Echo, as in the library's README. node ictinnovations_library.mjs CODE PORT
const { AudioSocketServer } = await import(`${process.argv[2]}/node_modules/asterisk-audiosocket/dist/index.js`);

const server = new AudioSocketServer({ host: "127.0.0.1", port: Number(process.argv[3]) });
server.on("connection", (call) => {
  call.on("audio", (pcm) => call.play(pcm));
  call.on("error", () => {});
});
await server.listen();
