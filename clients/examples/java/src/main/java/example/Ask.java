package example;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import deberta.v1.DebertaServiceGrpc;
import deberta.v1.DebertaServiceGrpc.DebertaServiceBlockingStub;
import deberta.v1.Deberta.ClassifyRequest;
import deberta.v1.Deberta.Entity;
import deberta.v1.Deberta.OffsetUnit;
import deberta.v1.Deberta.TagTokensRequest;
import deberta.v1.Deberta.TextInput;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Asks a deberta-server from Java, by code that protoc makes of the proto. */
public final class Ask {
  /** gRPC makes calls again by itself while there is no server. */
  private static final Map<String, ?> CONFIG = Map.of(
      "methodConfig", List.of(Map.of(
          "name", List.of(Map.of("service", "deberta.v1.DebertaService")),
          "retryPolicy", Map.of(
              "maxAttempts", 5.0, "initialBackoff", "0.1s", "maxBackoff", "5s",
              "backoffMultiplier", 2.0,
              "retryableStatusCodes", List.of("UNAVAILABLE")))));

  /** Why a call failed, by the details that travel with it. */
  private static String reason(StatusRuntimeException error)
      throws InvalidProtocolBufferException {
    com.google.rpc.Status status = StatusProto.fromThrowable(error);
    if (status != null) {
      for (Any detail : status.getDetailsList()) {
        if (detail.is(ErrorInfo.class)) {
          return detail.unpack(ErrorInfo.class).getReason();
        }
      }
    }
    return "";
  }

  private static void ask(DebertaServiceBlockingStub stub)
      throws InvalidProtocolBufferException {
    var classified = within(stub).classify(ClassifyRequest.newBuilder()
        .setModel("section-classifier").setTopK(1)
        .addInputs(TextInput.newBuilder()
            .setText("A chess engine with opening books."))
        .build());
    System.out.println(classified.getResults(0).getLabels(0).getLabel());

    // Java's strings are UTF-16.
    String text = "Naïve mail over IMAP, in Rust.";
    var tagged = within(stub).tagTokens(TagTokensRequest.newBuilder()
        .addInputs(text).setOffsetUnit(OffsetUnit.OFFSET_UNIT_UTF16_CODE_UNITS)
        .build());
    for (Entity entity : tagged.getResults(0).getEntitiesList()) {
      System.out.println(entity.getLabel() + " "
          + text.substring(entity.getStart(), entity.getEnd()));
    }

    try {
      within(stub).classify(ClassifyRequest.newBuilder().setModel("none").build());
    } catch (StatusRuntimeException error) {
      System.out.println(error.getStatus().getCode() + " " + reason(error));
    }
  }

  private static DebertaServiceBlockingStub within(DebertaServiceBlockingStub stub) {
    return stub.withDeadlineAfter(60, TimeUnit.SECONDS);
  }

  public static void main(String[] arguments) throws Exception {
    ManagedChannel channel = Grpc
        .newChannelBuilder("dns:///" + arguments[0], InsecureChannelCredentials.create())
        .defaultLoadBalancingPolicy("round_robin")
        .defaultServiceConfig(CONFIG).enableRetry().build();
    try {
      ask(DebertaServiceGrpc.newBlockingStub(channel));
    } finally {
      channel.shutdown();
    }
  }
}
