// Its own server, with a stand-in for the speech service that it calls by HTTP and then by WebSocket: the stand-in sends
// half a second of a tone, as mu-law in base64, 20 ms at a time. node tanujs22.cjs CODE PORT
const code = process.argv[2];
const { createServer } = require("http");
const { WebSocketServer } = require(`${code}/node_modules/ws`);

const service = createServer((request, answer) => {
  const at = `127.0.0.1:${service.address().port}`;
  answer.setHeader("Content-Type", "application/json");
  answer.end(JSON.stringify({ data: { data: { socketURL: `ws://${at}/`, HangupUrl: `http://${at}/`, statusCallbackUrl: `http://${at}/` } } }));
});
new WebSocketServer({ server: service }).on("connection", (socket) => {
  const media = JSON.stringify({ event: "media", media: { payload: Buffer.alloc(160, 0x8f).toString("base64") } });
  let frames = 0;
  const clock = setInterval(() => (frames++ < 25 && socket.readyState === 1 ? socket.send(media) : clearInterval(clock)), 20);
  socket.on("error", () => {});
});
service.listen(0, "127.0.0.1", () => {
  process.env.VG_WEBHOOK_URL = `http://127.0.0.1:${service.address().port}/`;
  process.env.AUDIOSOCKET_PORT = process.argv[3];
  require(`${code}/audioSocketServer`).start();
});
