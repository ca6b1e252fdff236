// SPDX-License-Identifier: GPL-3.0-or-later
#include "parameters.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

namespace terzetto::plugin {

Parameters::Parameters(const InstrumentInfo& instrument) : instrument_(instrument) {
    if (instrument.count > kMaxParameters)
        throw std::length_error(std::string(instrument.name) + " has more than 64 parameters; raise kMaxParameters");
    for (std::uint32_t i = 0; i < instrument.count; ++i) {
        addresses_.push_back(std::string("/terzetto/") + instrument.name + "/" + info(i).name);
        values_[i].store(info(i).initial);
    }
}

int Parameters::find(std::string_view name) const {
    for (std::uint32_t i = 0; i < count(); ++i)
        if (name == info(i).name) return static_cast<int>(i);
    return -1;
}

int Parameters::find_address(std::string_view address) const noexcept {
    for (std::uint32_t i = 0; i < count(); ++i)
        if (address == addresses_[i]) return static_cast<int>(i);
    return -1;
}

float Parameters::valid(std::uint32_t index, float value) const noexcept {
    const ParameterInfo& p = info(index);
    if (std::isnan(value)) return this->value(index);
    const float clipped = std::clamp(value, p.lowest, p.highest);
    return p.type == ParameterType::float_ ? clipped : std::floor(clipped + 0.5f);
}

void Parameters::set(std::uint32_t index, float value) noexcept {
    values_[index].store(valid(index, value));
}

bool Parameters::take_trigger(std::uint32_t index) noexcept {
    return values_[index].exchange(0.0f) > 0.5f;
}

void Parameters::set_from_engine(std::uint32_t index, float value) noexcept {
    set(index, value);
    told_.fetch_or(std::uint64_t{1} << index);
}

void ParameterEvents::write(EventWriter& writer, std::uint32_t frame, bool everything) noexcept {
    for (std::uint32_t i = 0; i < parameters_.count(); ++i) {
        const ParameterInfo& p = parameters_.info(i);
        if (p.meter) continue;
        if (p.type == ParameterType::trigger_) {
            const Argument pulled = Argument::of_bool(true);
            if (parameters_.take_trigger(i) && !writer.write(frame, parameters_.address(i), &pulled, 1))
                parameters_.set(i, 1.0f);
            continue;
        }
        const float value = parameters_.value(i);
        if (!everything && value == sent_[i]) continue;
        const Argument argument = p.type == ParameterType::bool_     ? Argument::of_bool(value > 0.5f)
                                  : p.type == ParameterType::choice_ ? Argument::of_int(static_cast<int>(value))
                                                                     : Argument::of_float(value);
        const bool written = writer.write(frame, parameters_.address(i), &argument, 1);
        // Not a number differs from everything: it is tried again at the next chance.
        sent_[i] = written ? value : std::numeric_limits<float>::quiet_NaN();
    }
}

bool ParameterEvents::take(const Event& event) noexcept {
    const int found = parameters_.find_address(event.address);
    if (found < 0) return false;
    const auto index = static_cast<std::uint32_t>(found);
    if (event.count == 0 || parameters_.info(index).type == ParameterType::trigger_) return true;
    const Argument& argument = event.arguments[0];
    float value = static_cast<float>(argument.number);
    if (argument.type == 's') { // a choice by its name
        const ParameterInfo& p = parameters_.info(index);
        std::uint32_t choice = 0;
        while (choice < p.choice_count && argument.text != p.choices[choice]) ++choice;
        if (choice == p.choice_count) return true;
        value = static_cast<float>(choice);
    } else if (!argument.is_number()) {
        return true;
    }
    parameters_.set_from_engine(index, value);
    sent_[index] = parameters_.valid(index, value);
    return true;
}

} // namespace terzetto::plugin
