package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// tagsAtOnce is how many tags one manifest is pushed with.
const tagsAtOnce = 100

type seeded struct {
	Milliseconds float64 `json:"milliseconds"`
}

// seedRegistry fills a registry: many repositories, each with a config and small manifests that are tagged, and one
// repository, called tags, with one manifest and many tags.
func seedRegistry(args []string) (any, error) {
	var o options
	flags := newFlags("seed", &o)
	repositories := flags.Int("repositories", 10_000, "how many")
	manifests := flags.Int("manifests", 100_000, "of all repositories together")
	tags := flags.Int("tags", 100_000, "of the one repository")
	clients := flags.Int("clients", 64, "how many requests at once")
	flags.Parse(args)
	client := newClient(*clients)
	start := time.Now()
	each := *manifests / *repositories
	err := inParallel(*clients, *repositories, func(i int) error {
		return o.seedRepository(client, fmt.Sprintf("team-%d/app-%05d", i%10, i), each)
	})
	if err != nil {
		return nil, err
	}
	if err := o.seedRepository(client, "tags", 1); err != nil {
		return nil, err
	}
	manifest, digest := seedManifest("tags", 0)
	err = inParallel(*clients, *tags/tagsAtOnce, func(i int) error {
		query := url.Values{}
		for n := range tagsAtOnce {
			query.Add("tag", fmt.Sprintf("v%06d", i*tagsAtOnce+n))
		}
		return o.put(client, "tags", digest+"?"+query.Encode(), manifest)
	})
	return seeded{milliseconds(start)}, err
}

func (o options) seedRepository(client *http.Client, repository string, manifests int) error {
	base := o.url + "/v2/" + repository
	config := seedConfig(repository)
	digest := digestOf(config)
	body := bytes.NewReader(config)
	if err := o.upload(client, base, body, int64(len(config)), func() string { return digest }); err != nil {
		return err
	}
	for n := range manifests {
		manifest, _ := seedManifest(repository, n)
		if err := o.put(client, repository, fmt.Sprintf("v%d", n), manifest); err != nil {
			return err
		}
	}
	return nil
}

func (o options) put(client *http.Client, repository, reference string, manifest []byte) error {
	target := o.url + "/v2/" + repository + "/manifests/" + reference
	body := bytes.NewReader(manifest)
	return o.send(client, http.MethodPut, target, body, int64(len(manifest)), manifestType, 201, nil)
}

func seedConfig(repository string) []byte {
	return fmt.Appendf(nil, `{"architecture":"amd64","os":"linux","author":%q}`, repository)
}

func seedManifest(repository string, n int) (content []byte, digest string) {
	config := seedConfig(repository)
	content, _ = json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": manifestType,
		"config":      descriptor{configType, digestOf(config), len(config)},
		"layers":      []descriptor{},
		"annotations": map[string]string{"org.opencontainers.image.version": fmt.Sprint(n)},
	})
	return content, digestOf(content)
}

// inParallel calls work with 0 to count-1, and stops at the first error.
func inParallel(workers, count int, work func(int) error) error {
	todo := make(chan int)
	failed := make(chan error, workers)
	for range workers {
		go func() {
			for i := range todo {
				if err := work(i); err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
	}
	for i := range count {
		select {
		case todo <- i:
		case err := <-failed:
			return err
		}
	}
	close(todo)
	for range workers {
		if err := <-failed; err != nil {
			return err
		}
	}
	return nil
}
