// SPDX-License-Identifier: GPL-3.0-or-later
// The one sentence that says what state an instance is in and what to do next.
#pragma once

#include <cstdint>
#include <string>

namespace terzetto::plugin {

// The names are the choices of the parameter `engine_status`.
enum class Condition : std::uint8_t { Running, Starting, Late, Absent, Failed };

const char* name(Condition condition);

struct Situation {
    Condition condition = Condition::Absent;
    bool prepared = false;   // the host has started audio
    std::string refused;     // why a saved state was not taken; empty: it was
    std::string detail;      // of a failure
    std::string engine_text; // what the engine says of itself
};

std::string status_line(const Situation& situation);

} // namespace terzetto::plugin
