// Greets with a second of a tone, by the library's own server and sendAudio. node nadirhamid.mjs CODE PORT
const { AudiosocketServer } = await import(`${process.argv[2]}/index.js`);
const tone = Buffer.alloc(16000);
for (let n = 0; n < 8000; n++) tone.writeInt16LE(Math.round(8000 * Math.sin(n * 0.35)), 2 * n);

new AudiosocketServer(Number(process.argv[3]), "127.0.0.1").on("connection", (call) => {
  call.on("id", () => call.sendAudio(tone));
  call.on("error", () => {});
});
