// Greets with a second of a tone, and echoes after it, by the library's own messages. cycoresystems PORT
package main

import (
	"math"
	"net"
	"os"
	"sync/atomic"

	"github.com/CyCoreSystems/audiosocket"
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
	defer call.Close()
	if _, err := audiosocket.GetID(call); err != nil {
		return
	}
	tone := make([]byte, 16000)
	for n := 0; n < 8000; n++ {
		sample := uint16(int16(8000 * math.Sin(float64(n)*0.35)))
		tone[2*n], tone[2*n+1] = byte(sample), byte(sample>>8)
	}
	var played atomic.Bool
	go func() {
		audiosocket.SendSlinChunks(call, audiosocket.DefaultSlinChunkSize, tone)
		played.Store(true)
	}()
	for {
		message, err := audiosocket.NextMessage(call)
		if err != nil || message.Kind() == audiosocket.KindHangup {
			return
		}
		if message.Kind() == audiosocket.KindSlin && played.Load() {
			if _, err := call.Write(audiosocket.SlinMessage(message.Payload())); err != nil {
				return
			}
		}
	}
}
