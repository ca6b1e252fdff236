// SPDX-License-Identifier: GPL-3.0-or-later
// The shape of the parameter table; its contents are generated from parameters.toml at build time.
#pragma once

#include <cstdint>

namespace terzetto::plugin {

enum class ParameterType : std::uint8_t { float_, bool_, choice_, trigger_ };

enum class Scope : std::uint8_t { Own, Shared }; // of one instrument, or of all

// A value is a float everywhere: a choice's index, a bool's or trigger's 0 or 1.
struct ParameterInfo {
    const char* name;
    const char* title;
    ParameterType type;
    const char* unit;
    float lowest, highest, initial;
    const char* const* choices; // nullptr unless a choice
    std::uint32_t choice_count;
    bool automatable;
    bool meter; // told by the engine or the plugin, read-only
    Scope scope;
    const char* description;
};

struct InstrumentInfo {
    const char* name;
    const char* title;
    const char* description;
    const ParameterInfo* parameters;
    std::uint32_t count;
    bool plays = false; // an instrument of its own: nothing goes in but notes, sound and notes come out
};

constexpr std::uint32_t kMaxParameters = 64;

// nullptr: no such instrument.
const InstrumentInfo* find_instrument(const char* name);

} // namespace terzetto::plugin
