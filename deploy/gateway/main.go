// deberta-gateway answers JSON over HTTP by asking a deberta-server: grpc-gateway,
// generated from the proto and http.yaml, with the limits that an open port needs.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	// Kinds of error details, which are written as JSON by their names.
	_ "google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/encoding/protojson"

	deberta "deberta-gateway/deberta/v1"
)

const (
	maxRequestBytes  = 16 << 20 // of JSON; the server takes 4 MiB of its own
	maxResponseBytes = 256 << 20
	drainTime        = 20 * time.Second
)

// What callers may say to the server beside their request.
var forwarded = map[string]bool{
	"Traceparent":         true,
	"X-Deberta-Precision": true,
	"X-Deberta-Priority":  true,
}

func header(key string) (string, bool) {
	if forwarded[textproto.CanonicalMIMEHeaderKey(key)] {
		return key, true
	}
	return runtime.DefaultHeaderMatcher(key) // authorization, grpc-timeout
}

func transport(plain bool, ca string) (credentials.TransportCredentials, error) {
	if plain {
		return insecure.NewCredentials(), nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--ca: %s has no certificate", ca)
		}
	}
	return credentials.NewTLS(config), nil
}

// Bodies are limited, and pages of `origin` may ask ("": of none).
func limited(handler http.Handler, origin string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if origin != "" && r.Header.Get("Origin") == origin {
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Vary", "Origin")
			if r.Method == http.MethodOptions {
				w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
				w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxRequestBytes)
		handler.ServeHTTP(w, r)
	})
}

func run() error {
	server := flag.String("server", "localhost:50051", "the deberta-server, HOST:PORT or a gRPC target")
	listen := flag.String("listen", "localhost:8080", "where HTTP is answered, HOST:PORT")
	useTLS := flag.Bool("tls", false, "ask the server by TLS")
	ca := flag.String("ca", "", "the certificate authority of the server's certificate; \"\": the system's")
	origin := flag.String("allow_origin", "", "the one page that may ask from a browser, as http://HOST:PORT; \"\": none")
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	creds, err := transport(!*useTLS, *ca)
	if err != nil {
		return err
	}
	connection, err := grpc.NewClient(*server, grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxResponseBytes)),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig": [{"round_robin": {}}]}`))
	if err != nil {
		return err
	}
	defer connection.Close()
	mux := runtime.NewServeMux(
		runtime.WithIncomingHeaderMatcher(header),
		runtime.WithHealthzEndpoint(grpc_health_v1.NewHealthClient(connection)),
		runtime.WithMarshalerOption(runtime.MIMEWildcard, &runtime.JSONPb{
			MarshalOptions: protojson.MarshalOptions{
				UseProtoNames: true, EmitUnpopulated: true}}))
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	if err := deberta.RegisterDebertaServiceHandler(stop, mux, connection); err != nil {
		return err
	}
	port, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	log.Printf("answering HTTP on %s, asking %s", port.Addr(), *server)
	answering := &http.Server{Handler: limited(mux, *origin), ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10}
	over := make(chan error, 1)
	go func() { over <- answering.Serve(port) }()
	select {
	case err := <-over:
		return err
	case <-stop.Done():
	}
	end, ended := context.WithTimeout(context.Background(), drainTime)
	defer ended()
	if err := answering.Shutdown(end); err != nil {
		return errors.New("not every answer was sent within the drain time")
	}
	return nil
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}
