// SPDX-License-Identifier: GPL-3.0-or-later
#define TERZETTO_LEVEL level_neon
#define TERZETTO_LANES_NEON
#include "inner_fit_body.hpp"

namespace terzetto {
const InnerLoops& inner_loops_neon() {
    static const InnerLoops loops = level_neon::table("neon");
    return loops;
}
} // namespace terzetto
