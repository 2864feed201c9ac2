// Command client asks a server every question that the generated client of
// Pyroscope's API has, in each protocol that the client speaks, and says what
// of the answers is right:
//
//	client -expect FILE -url http://127.0.0.1:4040 -grpc-url http://127.0.0.1:4041
//
// Each check is a line "ok - PROTOCOL RPC: what" or "not ok - ..."; what went
// wrong follows in lines that begin with "#".  The last line is "end".  The
// exit status is 0 unless the program itself failed.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/grafana/pyroscope/api/gen/proto/go/capabilities/v1/capabilitiesv1connect"
	"github.com/grafana/pyroscope/api/gen/proto/go/querier/v1/querierv1connect"
	"github.com/grafana/pyroscope/api/gen/proto/go/settings/v1/settingsv1connect"
	"github.com/grafana/pyroscope/api/gen/proto/go/version/v1/versionv1connect"
)

const patience = 60 * time.Second

// A push that the server had before: what its profile of Expect.Type adds to.
type Push struct {
	At     int64 // ms
	Labels map[string]string
	Total  int64
}

type Window struct{ Start, End int64 }

// Some is an id that profiles of a selector carry, and the samples that do.
type Some struct {
	ID       string
	Selector string
	Total    int64
}

// Expect is what the server was given, nothing else being in it.
type Expect struct {
	Type       string // a profile type that every push has
	Other      string // and one that only some have
	OtherTotal int64
	Pushes     []Push
	Windows    [2]Window // none of the pushes is outside
	Spans      []Some
	Traces     []Some
}

func (e *Expect) start() int64 { return e.Windows[0].Start }
func (e *Expect) end() int64   { return e.Windows[1].End }

// The pushes whose labels have these values, within the window.
func (e *Expect) pushes(w Window, labels map[string]string) []Push {
	var found []Push

	for _, p := range e.Pushes {
		if p.At < w.Start || p.At > w.End {
			continue
		}

		all := true

		for name, value := range labels {
			all = all && p.Labels[name] == value
		}

		if all {
			found = append(found, p)
		}
	}

	return found
}

func (e *Expect) total(w Window, labels map[string]string) (total int64) {
	for _, p := range e.pushes(w, labels) {
		total += p.Total
	}

	return
}

// A client of one protocol.
type client struct {
	*Expect

	name     string
	querier  querierv1connect.QuerierServiceClient
	settings settingsv1connect.SettingsServiceClient
	version  versionv1connect.VersionClient
	flags    capabilitiesv1connect.FeatureFlagsServiceClient

	zipped querierv1connect.QuerierServiceClient // requests in gzip
}

func newClient(e *Expect, name, url string, transport *http.Transport,
	options ...connect.ClientOption) *client {

	h := &http.Client{Transport: transport}
	zip := append([]connect.ClientOption{connect.WithSendGzip()}, options...)

	return &client{
		Expect:   e,
		name:     name,
		querier:  querierv1connect.NewQuerierServiceClient(h, url, options...),
		settings: settingsv1connect.NewSettingsServiceClient(h, url, options...),
		version:  versionv1connect.NewVersionClient(h, url, options...),
		flags: capabilitiesv1connect.NewFeatureFlagsServiceClient(h, url,
			options...),
		zipped: querierv1connect.NewQuerierServiceClient(h, url, zip...),
	}
}

// HTTP/1.1, or HTTP/2 in clear text without being asked first.
func transport(http2 bool) *http.Transport {
	t := &http.Transport{Protocols: new(http.Protocols)}

	t.Protocols.SetHTTP1(!http2)
	t.Protocols.SetUnencryptedHTTP2(http2)

	return t
}

// check reports what f found.
func (c *client) check(rpc, what string, f func() error) {
	err := guarded(f)

	if err == nil {
		fmt.Printf("ok - %s %s: %s\n", c.name, rpc, what)
		return
	}

	text := err.Error()

	if len(text) > 1000 {
		text = text[:1000] + "..."
	}

	fmt.Printf("not ok - %s %s: %s\n# %s\n", c.name, rpc, what,
		strings.ReplaceAll(text, "\n", "\n# "))
}

func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()

	return f()
}

// call asks once.
func call[Q, A any](
	method func(context.Context, *connect.Request[Q]) (*connect.Response[A], error),
	question *Q, headers ...string) (*A, error) {

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()

	return callWith(ctx, method, question, headers...)
}

func callWith[Q, A any](ctx context.Context,
	method func(context.Context, *connect.Request[Q]) (*connect.Response[A], error),
	question *Q, headers ...string) (*A, error) {

	request := connect.NewRequest(question)

	for i := 0; i+1 < len(headers); i += 2 {
		request.Header().Set(headers[i], headers[i+1])
	}

	answer, err := method(ctx, request)

	if err != nil {
		return nil, err
	}

	return answer.Msg, nil
}

// refused is nil if the error has the code, came from the server and says why.
func refused(err error, code connect.Code) error {
	var e *connect.Error

	switch {
	case err == nil:
		return fmt.Errorf("no error, expected %v", code)
	case connect.CodeOf(err) != code:
		return fmt.Errorf("expected %v: %w", code, err)
	case !errors.As(err, &e) || !connect.IsWireError(err):
		return fmt.Errorf("not the server's: %w", err)
	case e.Message() == "":
		return errors.New("no message")
	}

	return nil
}

func invalid(err error) error {
	return refused(err, connect.CodeInvalidArgument)
}

// equal is nil if both are equal; told apart by how they print.
func equal(what string, got, expected any) error {
	g, e := fmt.Sprintf("%v", got), fmt.Sprintf("%v", expected)

	if g != e {
		return fmt.Errorf("%s: got %s, expected %s", what, g, e)
	}

	return nil
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "client: %v\n", err)
		os.Exit(1)
	}
}

func main() {
	file := flag.String("expect", "", "what the server was given, in JSON")
	url := flag.String("url", "http://127.0.0.1:4040", "the server")
	grpc := flag.String("grpc-url", "",
		"the server in HTTP/2 without TLS (default: -url)")
	only := flag.String("only", "", "one protocol: connect, json or grpc")

	flag.Parse()

	if *grpc == "" {
		*grpc = *url
	}

	text, err := os.ReadFile(*file)
	fatal(err)

	expect := new(Expect)
	fatal(json.Unmarshal(text, expect))

	if len(expect.Pushes) == 0 {
		fatal(fmt.Errorf("%s has no pushes", *file))
	}

	for _, c := range []*client{
		newClient(expect, "connect", *url, transport(false)),
		newClient(expect, "json", *url, transport(false),
			connect.WithProtoJSON()),
		newClient(expect, "grpc", *grpc, transport(true),
			connect.WithGRPC()),
	} {
		if *only != "" && *only != c.name {
			continue
		}

		c.labels()
		c.series()
		c.heatmap()
		c.graphs()
		c.selected()
		c.profiles()
		c.diff()
		c.side()
		c.refusals()
		c.canceled()
	}

	fmt.Println("end")
}
