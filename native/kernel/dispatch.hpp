// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "inner_loops.hpp"

#include <string>
#include <vector>

namespace terzetto {

// The levels that are compiled in and that this machine runs, slowest first.
std::vector<const InnerLoops*> supported_levels();

// By name; the fastest one for "". Throws std::invalid_argument, naming the choices, for anything else.
const InnerLoops& level_named(const std::string& name);

} // namespace terzetto
