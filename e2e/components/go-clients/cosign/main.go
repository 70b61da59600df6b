// Command cosign is Sigstore's cosign: the commands and behaviour of its own main, without the key services of clouds,
// which are most of its build and which no test uses.
package main

import (
	"fmt"
	"os"

	"github.com/sigstore/cosign/v3/cmd/cosign/cli"
)

func main() {
	if err := cli.New().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
