package main

import (
	"bytes"
	crypto "crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar"
)

type descriptor struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int    `json:"size"`
}

type image struct {
	repository, tag string
	blobs           [][]byte
	manifest        []byte
	digests         []string
}

type pushed struct {
	Repository string   `json:"repository"`
	Tag        string   `json:"tag"`
	Manifest   string   `json:"manifest"`
	Layers     []string `json:"layers"`
}

type pushResult struct {
	Milliseconds float64  `json:"milliseconds"`
	Images       []pushed `json:"images"`
}

// pushImages pushes images of random layers, as many at a time as there are clients. A client pushes one blob after
// another as crane does (HEAD, POST, PATCH, PUT), then the manifest. Only pushing is timed, not making the bytes.
func pushImages(args []string) (any, error) {
	var o options
	flags := newFlags("push", &o)
	prefix := flags.String("repository", "bench", "where they go: images are spread over ten repositories that begin so")
	count := flags.Int("images", 100, "how many")
	layers := flags.Int("layers", 4, "of each")
	size := flags.Int("layer-bytes", 1<<20, "of each layer")
	clients := flags.Int("clients", 8, "how many at once")
	tags := flags.Int("tags", 1, "of each image: v7, v7-1, v7-2 and so on")
	flags.Parse(args)
	images := make([]image, *count)
	random := newRandom()
	for i := range images {
		images[i] = makeImage(random, fmt.Sprintf("%s/app-%d", *prefix, i%10), fmt.Sprintf("v%d", i), *layers, *size)
	}
	client := newClient(*clients)
	start := time.Now()
	err := inParallel(*clients, len(images), func(i int) error { return o.push(client, images[i], *tags) })
	if err != nil {
		return nil, err
	}
	result := pushResult{Milliseconds: milliseconds(start)}
	for _, each := range images {
		result.Images = append(result.Images, pushed{each.repository, each.tag, string(each.manifest), each.digests[1:]})
	}
	return result, nil
}

func digestOf(content []byte) string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256(content))
}

func newRandom() *rand.ChaCha8 {
	var seed [32]byte
	crypto.Read(seed[:])
	return rand.NewChaCha8(seed)
}

// makeImage has an own config, so that no two images share a blob.
func makeImage(random *rand.ChaCha8, repository, tag string, layers, size int) image {
	made := image{repository: repository, tag: tag}
	descriptors := make([]descriptor, layers)
	add := func(mediaType string, content []byte) descriptor {
		digest := digestOf(content)
		made.blobs = append(made.blobs, content)
		made.digests = append(made.digests, digest)
		return descriptor{mediaType, digest, len(content)}
	}
	config := add(configType, fmt.Appendf(nil, `{"architecture":"amd64","os":"linux","created":"%x"}`, random.Uint64()))
	for i := range layers {
		content := make([]byte, size)
		random.Read(content)
		descriptors[i] = add(layerType, content)
	}
	made.manifest, _ = json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": manifestType, "config": config, "layers": descriptors,
	})
	return made
}

func (o options) push(client *http.Client, each image, tags int) error {
	base := o.url + "/v2/" + each.repository
	for i, content := range each.blobs {
		if err := o.send(client, http.MethodHead, base+"/blobs/"+each.digests[i], nil, 0, "", 404, nil); err != nil {
			return err
		}
		digest := each.digests[i]
		body := bytes.NewReader(content)
		if err := o.upload(client, base, body, int64(len(content)), func() string { return digest }); err != nil {
			return err
		}
	}
	if err := o.put(client, each.repository, each.tag, each.manifest); err != nil {
		return err
	}
	for n := 1; n < tags; n++ {
		if err := o.put(client, each.repository, fmt.Sprintf("%s-%d", each.tag, n), each.manifest); err != nil {
			return err
		}
	}
	return nil
}

// upload sends one blob by POST, PATCH and PUT; digest is asked for when all bytes are sent.
func (o options) upload(client *http.Client, base string, body io.Reader, size int64, digest func() string) error {
	var location *url.URL
	follow := func(response *http.Response) (err error) {
		location, err = response.Location()
		return err
	}
	if err := o.send(client, http.MethodPost, base+"/blobs/uploads/", nil, 0, "", 202, follow); err != nil {
		return err
	}
	const bytesType = "application/octet-stream"
	if err := o.send(client, http.MethodPatch, location.String(), body, size, bytesType, 202, follow); err != nil {
		return err
	}
	query := location.Query()
	query.Set("digest", digest())
	location.RawQuery = query.Encode()
	return o.send(client, http.MethodPut, location.String(), nil, 0, "", 201, nil)
}

func (o options) send(
	client *http.Client, method, target string, body io.Reader, size int64, contentType string, status int,
	read func(*http.Response) error,
) error {
	request, err := http.NewRequest(method, target, body)
	if err != nil {
		return err
	}
	request.ContentLength = size
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := client.Do(o.authorize(request))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != status {
		return fmt.Errorf("%s %s: %s %s", method, target, response.Status, answer)
	}
	if read != nil {
		return read(response)
	}
	return nil
}

type uploaded struct {
	Digest       string  `json:"digest"`
	Milliseconds float64 `json:"milliseconds"`
}

// randomBlob is so many random bytes, and their digest once they were read.
type randomBlob struct {
	random io.Reader
	hash   hash.Hash
}

func (b *randomBlob) Read(into []byte) (int, error) {
	n, err := b.random.Read(into)
	b.hash.Write(into[:n])
	return n, err
}

// uploadBlob pushes one blob of random bytes, which are made while they are sent.
func uploadBlob(args []string) (any, error) {
	var o options
	flags := newFlags("upload", &o)
	repository := flags.String("repository", "bench/large", "where it goes")
	size := flags.Int64("bytes", 512<<20, "how large it is")
	flags.Parse(args)
	blob := &randomBlob{io.LimitReader(newRandom(), *size), sha256.New()}
	digest := func() string { return fmt.Sprintf("sha256:%x", blob.hash.Sum(nil)) }
	start := time.Now()
	if err := o.upload(newClient(1), o.url+"/v2/"+*repository, blob, *size, digest); err != nil {
		return nil, err
	}
	return uploaded{digest(), milliseconds(start)}, nil
}
