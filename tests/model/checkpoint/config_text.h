// Configurations of a few keys, for tests.

#ifndef TESTS_MODEL_CHECKPOINT_CONFIG_TEXT_H_
#define TESTS_MODEL_CHECKPOINT_CONFIG_TEXT_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "model/checkpoint/config.h"

namespace deberta::model {

inline constexpr char kV1[] = "deberta";
inline constexpr char kV2[] = "deberta-v2";

inline absl::StatusOr<Config> Parse(const char* type, const std::string& keys) {
  return ParseConfig(absl::StrCat("{\"model_type\":\"", type, "\"",
                                  keys.empty() ? "" : ",", keys, "}"));
}

inline Config Parsed(const char* type, const std::string& keys) {
  const absl::StatusOr<Config> config = Parse(type, keys);
  EXPECT_TRUE(config.ok()) << config.status();
  return config.ok() ? *config : Config{};
}

}  // namespace deberta::model

#endif  // TESTS_MODEL_CHECKPOINT_CONFIG_TEXT_H_
