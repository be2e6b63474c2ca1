// The "post_processor" of tokenizer.json.

#ifndef TOKENIZER_POST_PROCESSOR_JSON_H_
#define TOKENIZER_POST_PROCESSOR_JSON_H_

#include "tokenizer/json_reader.h"
#include "tokenizer/post_processor.h"

namespace deberta::tokenizer {

// TemplateProcessing, RobertaProcessing, BertProcessing, or a Sequence of
// ByteLevel and one of them. Notes, in the node's document, what else there
// is: without a template there would be inputs without a token.
PostProcessor ReadPostProcessor(const JsonNode& node);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_POST_PROCESSOR_JSON_H_
