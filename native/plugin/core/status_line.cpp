// SPDX-License-Identifier: GPL-3.0-or-later
#include "status_line.hpp"

namespace terzetto::plugin {

const char* name(Condition condition) {
    switch (condition) {
    case Condition::Running:
        return "running";
    case Condition::Starting:
        return "starting";
    case Condition::Late:
        return "late";
    case Condition::Absent:
        return "absent";
    case Condition::Failed:
        break;
    }
    return "failed";
}

std::string status_line(const Situation& now) {
    if (!now.refused.empty()) return now.refused;
    if (!now.prepared) return "Waiting for the host to start its audio.";
    switch (now.condition) {
    case Condition::Absent:
        return "No engine installed, playing dry: run \"terzetto plugins install\" in a terminal.";
    case Condition::Starting:
        return "Starting the engine; the dry signal plays until it is ready.";
    case Condition::Late:
        return "The engine is late, playing dry in between: use larger audio blocks, or switch low latency off.";
    case Condition::Failed:
        return (now.detail.empty() ? std::string("The engine failed, playing dry.") : now.detail) +
               " Run \"terzetto plugins doctor\" in a terminal.";
    case Condition::Running:
        break;
    }
    return now.engine_text.empty() ? "Ready." : now.engine_text;
}

} // namespace terzetto::plugin
