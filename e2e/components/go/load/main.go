// Command load is the client of the benchmarks (bench/) where wrk is not enough: it pushes images, streams large blobs, and
// times single requests. It prints one JSON document. A client in Go, because two cores serve both sides: what the
// client uses the server lacks, so it should use little, and the same against every server.
package main

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"
)

// options are common to all commands.
type options struct {
	url   string
	token string
}

func main() {
	commands := map[string]func([]string) (any, error){
		"push":   pushImages,
		"upload": uploadBlob,
		"stream": streamBlob,
		"times":  timeRequests,
		"seed":   seedRegistry,
	}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fail(fmt.Errorf("usage: load push|upload|stream|times|seed [flags]"))
	}
	result, err := commands[os.Args[1]](os.Args[2:])
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// newFlags has what every command takes.
func newFlags(name string, into *options) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ExitOnError)
	flags.StringVar(&into.url, "url", "", "where the server is, or what to get")
	flags.StringVar(&into.token, "token", "", "bearer token to send")
	return flags
}

// newClient keeps up to connections open. It trusts every certificate: what is measured is the work, not the trust.
func newClient(connections int) *http.Client {
	return &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: connections,
		MaxConnsPerHost:     connections,
		DisableCompression:  true,
		WriteBufferSize:     64 << 10,
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: true},
	}}
}

func (o options) authorize(request *http.Request) *http.Request {
	if o.token != "" {
		request.Header.Set("Authorization", "Bearer "+o.token)
	}
	return request
}

func milliseconds(since time.Time) float64 {
	return float64(time.Since(since).Microseconds()) / 1000
}
