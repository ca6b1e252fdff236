// SPDX-License-Identifier: GPL-3.0-or-later
// An instrument made for the editor's test: a pad, triggers, a level, a share and a choice.
#pragma once

#include "parameter_table.hpp"

namespace terzetto::test {

using plugin::ParameterInfo;
using plugin::ParameterType;
using plugin::Scope;

inline constexpr const char* kShapes[] = {"flat", "round", "steep"};
inline constexpr ParameterInfo kParameters[] = {
    {"level", "Level", ParameterType::float_, "dB", -60.0f, 12.0f, 0.0f, nullptr, 0, true, false, Scope::Own,
     "How loud."},
    {"pad_x", "Density", ParameterType::float_, "", 0.0f, 1.0f, 0.25f, nullptr, 0, true, false, Scope::Own, "Across."},
    {"pad_y", "Swing", ParameterType::float_, "", -1.0f, 1.0f, 0.5f, nullptr, 0, true, false, Scope::Own, "Upwards."},
    {"warmth", "Warmth", ParameterType::float_, "", 0.0f, 1.0f, 0.5f, nullptr, 0, true, false, Scope::Own, "A share."},
    {"shape", "Shape", ParameterType::choice_, "", 0.0f, 2.0f, 1.0f, kShapes, 3, true, false, Scope::Own, "Which one."},
    {"roll", "Roll", ParameterType::trigger_, "", 0.0f, 1.0f, 0.0f, nullptr, 0, true, false, Scope::Own, "Once."},
    {"fill", "Fill", ParameterType::trigger_, "", 0.0f, 1.0f, 0.0f, nullptr, 0, true, false, Scope::Own, "Once."},
    {"low_latency", "Low latency", ParameterType::bool_, "", 0.0f, 1.0f, 0.0f, nullptr, 0, false, false, Scope::Shared,
     "Sooner."},
};
inline constexpr plugin::InstrumentInfo kInstrument = {"drums", "Made for a test", "Has one of everything.",
                                                       kParameters, 8};

} // namespace terzetto::test
