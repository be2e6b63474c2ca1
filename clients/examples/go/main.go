// Asks a deberta-server from Go, by code that protoc makes of the proto.
//
//	go run . localhost:50051
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	pb "example/deberta/v1"
)

// retryAfter is how long the server asks to wait, if it does.
func retryAfter(err error) (time.Duration, bool) {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return info.RetryDelay.AsDuration(), true
		}
	}
	return 0, false
}

// call makes a call again while the server is full or goes away, until the
// context's deadline.
func call[Request, Response any](
	ctx context.Context, method func(context.Context, Request, ...grpc.CallOption) (Response, error),
	request Request) (Response, error) {
	for wait := 100 * time.Millisecond; ; wait *= 2 {
		response, err := method(ctx, request)
		after, full := retryAfter(err)
		if err == nil || (!full && status.Code(err) != codes.Unavailable) {
			return response, err
		}
		select {
		case <-ctx.Done():
			return response, errors.Join(err, ctx.Err())
		case <-time.After(max(wait, after)):
		}
	}
}

func main() {
	connection, err := grpc.NewClient("dns:///"+os.Args[1],
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig": [{"round_robin": {}}]}`))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	client := pb.NewDebertaServiceClient(connection)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	classified, err := call(ctx, client.Classify, &pb.ClassifyRequest{
		Model: "section-classifier", TopK: 1,
		Inputs: []*pb.TextInput{{Text: "A chess engine with opening books."}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(classified.Results[0].Labels[0].Label)

	// Go's strings are bytes.
	text := "Naïve mail over IMAP, in Rust."
	tagged, err := call(ctx, client.TagTokens, &pb.TagTokensRequest{
		Inputs: []string{text}, OffsetUnit: pb.OffsetUnit_OFFSET_UNIT_UTF8_BYTES,
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, entity := range tagged.Results[0].Entities {
		fmt.Println(entity.Label, text[entity.Start:entity.End])
	}
}
