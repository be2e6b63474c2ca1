// Texts -> what both precisions are asked.
//
//   head                      text            a label is
//   sequence classification   one, or a pair  the best class; of multi-label
//                                             problems, and of a single class,
//                                             whether it is positive; of
//                                             regression nothing
//   multiple choice           with choices    the best choice
//   token classification,
//   replaced tokens           one             the best class of each token
//   question answering        question, pair  the best start and the best end
//                                             in the context or at [CLS]
//   masked language model     one             the best token of each mask: the
//                                             text's own, else up to four that
//                                             are put in
//   none                      one, or a pair  the direction of each token's
//                                             hidden state; so too where masks
//                                             are to be filled and there is no
//                                             mask token
//
// Of heads that read the caller's labels, a label is what scores above a half
// in either precision: a span, or a word as a label's start, end or inside, of
// five labels that most texts have something of.
//
// Texts longer than the model reads are cut: they are no caller's.

#ifndef SERVER_PRECISION_CALIBRATION_H_
#define SERVER_PRECISION_CALIBRATION_H_

#include <span>

#include "absl/status/statusor.h"
#include "model/weights/head_weights.h"
#include "server/precision/agreement.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {

// The built-in texts, if `texts` is empty. InvalidArgument names the text that
// does not fit the head, as calibration[3]; also if nothing is left to compare.
absl::StatusOr<Calibration> MakeCalibration(std::span<const TextInput> texts,
                                            model::Head head,
                                            const TaskModel& model);

// The shortest of the built-in texts alone.
absl::StatusOr<Calibration> ShortestBuiltInInput(model::Head head,
                                                 const TaskModel& model);

}  // namespace deberta::server

#endif  // SERVER_PRECISION_CALIBRATION_H_
