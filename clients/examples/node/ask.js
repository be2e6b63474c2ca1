// Asks a deberta-server from Node, which reads the proto as it runs.
//
//   npm install && node ask.js localhost:50051 ../../../proto

import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const [, , server, protos] = process.argv;
const load = file => grpc.loadPackageDefinition(loader.loadSync(file, {
  includeDirs: [protos], keepCase: true, enums: String, defaults: true}));
const {deberta} = load("deberta/v1/deberta.proto");
const rpc = loader.loadSync(["google/rpc/status.proto", "google/rpc/error_details.proto"],
                            {includeDirs: [protos], keepCase: true});

// gRPC makes calls again by itself while there is no server.
const client = new deberta.v1.DebertaService(
  `dns:///${server}`, grpc.credentials.createInsecure(), {
    "grpc.max_receive_message_length": 64 << 20,
    "grpc.service_config": JSON.stringify({
      loadBalancingConfig: [{round_robin: {}}],
      methodConfig: [{
        name: [{service: "deberta.v1.DebertaService"}],
        retryPolicy: {maxAttempts: 5, initialBackoff: "0.1s", maxBackoff: "5s",
                      backoffMultiplier: 2, retryableStatusCodes: ["UNAVAILABLE"]}}]})});

function ask(method, request) {
  const deadline = new Date(Date.now() + 60_000);
  return new Promise((answered, failed) =>
    client[method](request, {deadline}, (error, answer) =>
      error ? failed(error) : answered(answer)));
}

// Why a call failed, by the details that travel with it.
function reason(error) {
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  if (!bytes) return "";
  const status = rpc["google.rpc.Status"].deserialize(bytes);
  const detail = status.details.find(any => any.type_url.endsWith("google.rpc.ErrorInfo"));
  return detail ? rpc["google.rpc.ErrorInfo"].deserialize(detail.value).reason : "";
}

const sections = await ask("Classify", {
  model: "section-classifier", top_k: 1,
  inputs: [{text: "A chess engine with opening books."}]});
console.log(sections.results[0].labels[0].label);

// JavaScript counts UTF-16 code units.
const text = "Naïve 📧 mail over IMAP, in Rust.";
const tags = await ask("TagTokens", {inputs: [text], offset_unit: "OFFSET_UNIT_UTF16_CODE_UNITS"});
for (const {label, start, end} of tags.results[0].entities)
  console.log(label, text.slice(start, end));

try {
  await ask("Classify", {model: "none", inputs: [{text: "a"}]});
} catch (error) {
  console.log(grpc.status[error.code], reason(error));
}
client.close();
