package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// readSize is how much a stream asks for at a time.
const readSize = 256 << 10

type streamed struct {
	Bytes        int64   `json:"bytes"`
	Milliseconds float64 `json:"milliseconds"`
}

// streamBlob gets one URL several times at once, reads every byte and throws it away. What took the slowest stream
// counts.
func streamBlob(args []string) (any, error) {
	var o options
	flags := newFlags("stream", &o)
	streams := flags.Int("streams", 1, "how many at once")
	rate := flags.Int64("rate", 0, "bytes per second of each stream; 0: as fast as it goes")
	flags.Parse(args)
	client := newClient(*streams)
	results := make(chan error, *streams)
	var bytes int64
	var lock sync.Mutex
	start := time.Now()
	for range *streams {
		go func() {
			n, err := readAll(client, o, *rate)
			lock.Lock()
			bytes += n
			lock.Unlock()
			results <- err
		}()
	}
	for range *streams {
		if err := <-results; err != nil {
			return nil, err
		}
	}
	return streamed{bytes, milliseconds(start)}, nil
}

func readAll(client *http.Client, o options, rate int64) (int64, error) {
	request, err := http.NewRequest(http.MethodGet, o.url, nil)
	if err != nil {
		return 0, err
	}
	response, err := client.Do(o.authorize(request))
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("GET %s: %s", o.url, response.Status)
	}
	size := readSize
	if rate > 0 {
		size = 32 << 10
	}
	buffer := make([]byte, size)
	var total int64
	start := time.Now()
	for {
		n, err := response.Body.Read(buffer)
		total += int64(n)
		if err == io.EOF && total == response.ContentLength {
			return total, nil
		}
		if err != nil {
			return total, fmt.Errorf("after %d of %d bytes: %w", total, response.ContentLength, err)
		}
		if rate > 0 {
			time.Sleep(time.Duration(total*int64(time.Second)/rate) - time.Since(start))
		}
	}
}

type times struct {
	Milliseconds []float64 `json:"milliseconds"`
	Bytes        int64     `json:"bytes"`
}

// timeRequests gets the URLs of a file one after another over one connection, and times each to its last byte.
func timeRequests(args []string) (any, error) {
	var o options
	flags := newFlags("times", &o)
	list := flags.String("urls", "", "file with one path a line")
	flags.Parse(args)
	file, err := os.Open(*list)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	client := newClient(1)
	result := times{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		request, err := http.NewRequest(http.MethodGet, o.url+lines.Text(), nil)
		if err != nil {
			return nil, err
		}
		start := time.Now()
		response, err := client.Do(o.authorize(request))
		if err != nil {
			return nil, err
		}
		n, err := io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if err != nil {
			return nil, err
		}
		if response.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("GET %s: %s", lines.Text(), response.Status)
		}
		result.Milliseconds = append(result.Milliseconds, milliseconds(start))
		result.Bytes += n
	}
	return result, nil
}
