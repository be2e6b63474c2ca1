// The "post_processor" of tokenizer.json.

#ifndef TOKENIZER_FILES_TOKENIZER_JSON_POST_PROCESSOR_H_
#define TOKENIZER_FILES_TOKENIZER_JSON_POST_PROCESSOR_H_

#include "tokenizer/encoding/post_processor.h"
#include "tokenizer/files/json_reader.h"

namespace deberta::tokenizer {

// TemplateProcessing, RobertaProcessing, BertProcessing, or a Sequence of
// ByteLevel and one of them. Notes, in the node's document, what else there
// is: without a template there would be inputs without a token.
PostProcessor ReadPostProcessor(const JsonNode& node);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_FILES_TOKENIZER_JSON_POST_PROCESSOR_H_
