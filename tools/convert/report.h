// What a conversion did, for people and for machines.

#ifndef TOOLS_CONVERT_REPORT_H_
#define TOOLS_CONVERT_REPORT_H_

#include <string>

#include "tools/convert/convert.h"

namespace deberta::tools {

// How many names each rule changed, with an example; what was skipped, and why.
std::string ReportText(const Conversion& conversion);

// One JSON object on one line:
// {"weights","format","bytes","tensors","rules":{rule: count},
//  "renamed":[{"from","to","rule"}],"skipped":{name: reason},
//  "files":{name: made of},"left":[names]}.
std::string ReportJson(const Conversion& conversion);

}  // namespace deberta::tools

#endif  // TOOLS_CONVERT_REPORT_H_
