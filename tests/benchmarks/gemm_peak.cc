// The machine's peak of matrix products, as oneDNN reaches it: what
// tests/load/compare_peers.py measures the model against. One JSON object a
// line:
//
//   gemm_peak [--threads=2] [--precisions=fp32,bf16,int8] [--max_isa=avx2]
//
// Every thread multiplies matrices of its own by primitives of one thread, all
// at once; a rate is the sum of the threads'. Of the shapes that a model's
// layers have, the fastest counts. What the machine cannot do is left out.

#include <algorithm>
#include <array>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_format.h"

ABSL_FLAG(int32_t, threads, 1, "threads, each with its own products");
ABSL_FLAG(std::vector<std::string>, precisions,
          std::vector<std::string>({"fp32", "bf16", "int8"}),
          "fp32, bf16 (float results), int8 (u8 by s8, s32 results)");
ABSL_FLAG(std::string, max_isa, "amx", "amx (all there is) or avx2");
ABSL_FLAG(double, seconds, 1, "time for each precision");

// From libgomp; clang has no omp.h without a second OpenMP runtime.
extern "C" void omp_set_num_threads(int threads);

namespace deberta {
namespace {

using dnnl::memory;
using Clock = std::chrono::steady_clock;

struct Product {
  memory::dim m, k, n;
};

// Whole layers of the base size, and panels whose weights stay in L2.
constexpr std::array kProducts = {
    Product{256, 768, 768},   Product{1024, 768, 768},
    Product{256, 768, 3072},  Product{1024, 768, 3072},
    Product{256, 3072, 768},  Product{1024, 3072, 768},
    Product{256, 768, 64},    Product{1024, 768, 64},
    Product{256, 768, 128},   Product{1024, 768, 128},
    Product{256, 768, 256},   Product{1024, 768, 256},
    Product{256, 3072, 64},   Product{256, 3072, 128},
    Product{256, 3072, 192},  Product{512, 512, 256},
    Product{512, 1024, 1024},
};
constexpr size_t kFinalists = 3;

struct Types {
  memory::data_type x, weight, y;
};

bool TypesOf(const std::string& precision, Types* types) {
  using Type = memory::data_type;
  if (precision == "fp32") {
    *types = {Type::f32, Type::f32, Type::f32};
  } else if (precision == "bf16") {
    *types = {Type::bf16, Type::bf16, Type::f32};
  } else if (precision == "int8") {
    *types = {Type::u8, Type::s8, Type::s32};
  } else {
    return false;
  }
  return true;
}

// Bytes that are small numbers in every type, and not 0, which might be fast.
void Fill(memory& matrix, memory::data_type type) {
  auto* bytes = static_cast<std::byte*>(matrix.get_data_handle());
  const size_t size = matrix.get_desc().get_size();
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::byte>(1 + i * 7 % 5);
  }
  if (type == memory::data_type::f32) {
    for (size_t i = 0; i + sizeof(float) <= size; i += sizeof(float)) {
      const float value = static_cast<float>(i % 13) / 16 - 0.3f;
      std::memcpy(bytes + i, &value, sizeof(value));
    }
  } else if (type == memory::data_type::bf16) {
    for (size_t i = 0; i + 2 <= size; i += 2) {
      const auto value = static_cast<uint16_t>(0x3e80 + i % 64);
      std::memcpy(bytes + i, &value, sizeof(value));
    }
  }
}

dnnl::matmul::primitive_desc Describe(const dnnl::engine& engine,
                                      const memory::desc& x,
                                      const memory::desc& weight,
                                      const memory::desc& y) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine, x, weight, y};
#else
  return {dnnl::matmul::desc(x, weight, y), engine};
#endif
}

// One product with its matrices, for the thread that makes it.
class Runner {
 public:
  Runner(const Product& product, const Types& types)
      : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {
    const auto& [m, k, n] = product;
    const auto description =
        Describe(engine_, {{m, k}, types.x, memory::dims{k, 1}},
                 {{k, n}, types.weight, memory::format_tag::any},
                 {{m, n}, types.y, memory::dims{n, 1}});
    matmul_ = dnnl::matmul(description);
    memory x(description.src_desc(), engine_);
    memory weight(description.weights_desc(), engine_);
    Fill(x, types.x);
    Fill(weight, types.weight);
    arguments_ = {{DNNL_ARG_SRC, x},
                  {DNNL_ARG_WEIGHTS, weight},
                  {DNNL_ARG_DST, memory(description.dst_desc(), engine_)}};
    flops_ = 2.0 * static_cast<double>(m * k * n);
    Run();
  }

  double flops() const { return flops_; }

  void Run() {
    matmul_.execute(stream_, arguments_);
    stream_.wait();
  }

 private:
  dnnl::engine engine_;
  dnnl::stream stream_;
  dnnl::matmul matmul_;
  std::unordered_map<int, memory> arguments_;
  double flops_ = 0;
};

// Sum of the threads' rates in GFLOP/s.
double Rate(const Product& product, const Types& types, int threads,
            double seconds) {
  std::vector<double> rates(static_cast<size_t>(threads));
  std::barrier all_ready(threads);
  const auto work = [&](size_t thread) {
    omp_set_num_threads(1);
    Runner runner(product, types);
    all_ready.arrive_and_wait();
    const Clock::time_point start = Clock::now();
    std::chrono::duration<double> spent{};
    double flops = 0;
    while (spent.count() < seconds) {
      runner.Run();
      flops += runner.flops();
      spent = Clock::now() - start;
    }
    rates[thread] = flops / spent.count() / 1e9;
  };
  std::vector<std::jthread> pool;
  for (size_t i = 0; i < rates.size(); ++i) pool.emplace_back(work, i);
  pool.clear();
  double sum = 0;
  for (const double rate : rates) sum += rate;
  return sum;
}

// Half of the time finds the fastest shapes, the other half measures them.
void Measure(const std::string& precision, const Types& types, int threads,
             double seconds) {
  struct Trial {
    double rate;
    Product product;
  };
  // Throws here, not in a thread, what this machine cannot do.
  Runner(kProducts.front(), types);
  std::vector<Trial> trials;
  for (const Product& product : kProducts) {
    trials.push_back({Rate(product, types, threads,
                           seconds / 2 / static_cast<double>(kProducts.size())),
                      product});
  }
  const auto faster = [](const Trial& a, const Trial& b) {
    return a.rate > b.rate;
  };
  std::sort(trials.begin(), trials.end(), faster);
  trials.resize(kFinalists);
  for (Trial& trial : trials) {
    trial.rate = Rate(trial.product, types, threads, seconds / 2 / kFinalists);
  }
  std::sort(trials.begin(), trials.end(), faster);
  const Trial& best = trials.front();
  std::cout << absl::StrFormat(
                   "{\"precision\":\"%s\",\"threads\":%d,\"gflops\":%.1f,"
                   "\"shape\":[%d,%d,%d],\"onednn\":\"%d.%d.%d\"}",
                   precision, threads, best.rate, best.product.m,
                   best.product.k, best.product.n, dnnl_version()->major,
                   dnnl_version()->minor, dnnl_version()->patch)
            << std::endl;
}

int Run() {
  const int32_t threads = absl::GetFlag(FLAGS_threads);
  if (threads < 1 || threads > 1024) {
    std::cerr << "gemm_peak: --threads: expected 1 to 1024\n";
    return 1;
  }
  if (absl::GetFlag(FLAGS_max_isa) == "avx2") {
    dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2);
  }
  omp_set_num_threads(1);
  for (const std::string& precision : absl::GetFlag(FLAGS_precisions)) {
    Types types{};
    if (!TypesOf(precision, &types)) {
      std::cerr << "gemm_peak: unknown precision " << precision << "\n";
      return 1;
    }
    try {
      Measure(precision, types, threads, absl::GetFlag(FLAGS_seconds));
    } catch (const dnnl::error& error) {
      std::cerr << "gemm_peak: no " << precision << " here: " << error.what()
                << "\n";
    }
  }
  return 0;
}

}  // namespace
}  // namespace deberta

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return deberta::Run();
}
