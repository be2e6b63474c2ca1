// Golden models as they are loaded, and what to ask them.

#ifndef TESTS_MODEL_LOADED_GOLDEN_H_
#define TESTS_MODEL_LOADED_GOLDEN_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "model/model.h"
#include "tests/model/checkpoint/model_directory.h"

namespace deberta::model {

inline std::unique_ptr<const Model> LoadModel(
    const std::string& name, Precision precision = Precision::kFp32,
    Products products = Products::kOwn) {
  Model::Options options;
  options.precision = precision;
  options.products = products;
  options.checkpoint.hdf5_reader = DEBERTA_HDF5_READER;
  auto model = Model::Load(GoldenModel(name), options);
  EXPECT_TRUE(model.ok()) << model.status();
  return model.ok() ? *std::move(model) : nullptr;
}

inline std::vector<int32_t> RandomIds(size_t n, int64_t below,
                                      std::mt19937& random) {
  std::vector<int32_t> ids(n);
  for (int32_t& id : ids) {
    id = static_cast<int32_t>(random() % static_cast<uint64_t>(below));
  }
  return ids;
}

}  // namespace deberta::model

#endif  // TESTS_MODEL_LOADED_GOLDEN_H_
