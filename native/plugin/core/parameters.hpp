// SPDX-License-Identifier: GPL-3.0-or-later
// The values of an instance's parameters: set by the host, the editor, a state or the engine, on any thread.
#pragma once

#include "osc.hpp"
#include "parameter_table.hpp"

#include <array>
#include <atomic>
#include <string>
#include <string_view>
#include <vector>

namespace terzetto::plugin {

class Parameters {
public:
    explicit Parameters(const InstrumentInfo& instrument);

    const InstrumentInfo& instrument() const { return instrument_; }
    std::uint32_t count() const { return instrument_.count; }
    const ParameterInfo& info(std::uint32_t index) const { return instrument_.parameters[index]; }
    const std::string& address(std::uint32_t index) const { return addresses_[index]; }
    int find(std::string_view name) const; // -1: no such parameter
    int find_address(std::string_view address) const noexcept TERZETTO_REALTIME;

    float value(std::uint32_t index) const noexcept TERZETTO_REALTIME { return values_[index].load(); }
    // Clipped to the range; a choice is rounded; not a number: ignored.
    void set(std::uint32_t index, float value) noexcept TERZETTO_REALTIME;
    float valid(std::uint32_t index, float value) const noexcept TERZETTO_REALTIME;
    // A trigger that was pulled since it was last asked.
    bool take_trigger(std::uint32_t index) noexcept TERZETTO_REALTIME;

    // The same, and the host is to be told (see `take_told`).
    void set_from_engine(std::uint32_t index, float value) noexcept TERZETTO_REALTIME;
    std::uint64_t take_told() noexcept { return told_.exchange(0); } // a bit per parameter

private:
    const InstrumentInfo& instrument_;
    std::vector<std::string> addresses_;
    std::array<std::atomic<float>, kMaxParameters> values_{};
    std::atomic<std::uint64_t> told_{0};
};

// What the engine has been told so far; lives on the audio thread.
class ParameterEvents {
public:
    explicit ParameterEvents(Parameters& parameters) : parameters_(parameters) {}

    // Writes what has changed since the last call, or everything. What finds no room stays due.
    void write(EventWriter& writer, std::uint32_t frame, bool everything) noexcept TERZETTO_REALTIME;
    // A parameter that the engine told: set, and not sent back. False: not a parameter's address.
    bool take(const Event& event) noexcept TERZETTO_REALTIME;

private:
    Parameters& parameters_;
    std::array<float, kMaxParameters> sent_{};
};

} // namespace terzetto::plugin
