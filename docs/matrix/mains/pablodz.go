// Greets with a second of a tone, then listens, by the library's own reader and player. pablodz PORT
package main

import (
	"context"
	"math"
	"net"
	"os"

	"github.com/pablodz/fastaudiosocket/fastaudiosocket"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		panic(err)
	}
	for {
		if call, err := listener.Accept(); err == nil {
			go serve(call)
		}
	}
}

func serve(call net.Conn) {
	socket, err := fastaudiosocket.NewFastAudioSocket(context.Background(), call, false, false)
	if err != nil {
		call.Close()
		return
	}
	tone := make([]byte, 16000)
	for n := 0; n < 8000; n++ {
		sample := uint16(int16(8000 * math.Sin(float64(n)*0.35)))
		tone[2*n], tone[2*n+1] = byte(sample), byte(sample>>8)
	}
	go socket.Play(context.Background(), tone)
	for packet := range socket.AudioChan {
		if packet.Type == fastaudiosocket.PacketTypeError || packet.Type == fastaudiosocket.PacketTypeHangup && !packet.SilenceSuppressed {
			socket.Hangup()
			return
		}
	}
}
