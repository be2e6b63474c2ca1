#include "server/tasks/shared/head_outputs.h"

#include <cmath>

namespace deberta::server {

double Rounded(double value, const Rounding& rounding) {
  if (rounding.decimals.has_value()) {
    const double scale = std::pow(10.0, *rounding.decimals);
    value = std::nearbyint(value * scale) / scale;
  }
  return value < rounding.zero_below ? 0 : value;
}

}  // namespace deberta::server
