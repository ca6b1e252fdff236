// SPDX-License-Identifier: GPL-3.0-or-later
#include "host_parameter.hpp"

namespace terzetto::plugin {

namespace {

juce::AudioProcessorParameterWithIDAttributes attributes(const ParameterInfo& info) {
    return juce::AudioProcessorParameterWithIDAttributes()
        .withLabel(juce::String::fromUTF8(info.unit))
        .withCategory(info.meter ? juce::AudioProcessorParameter::otherMeter
                                 : juce::AudioProcessorParameter::genericParameter)
        .withAutomatable(info.automatable && !info.meter);
}

} // namespace

HostParameter::HostParameter(Parameters& parameters, std::uint32_t index)
    : AudioProcessorParameterWithID({parameters.info(index).name, 1},
                                    juce::String::fromUTF8(parameters.info(index).title),
                                    attributes(parameters.info(index))),
      parameters_(parameters), index_(index), info_(parameters.info(index)) {}

float HostParameter::to_unit(float plain) const {
    return (plain - info_.lowest) / (info_.highest - info_.lowest);
}

float HostParameter::from_unit(float unit) const {
    return info_.lowest + juce::jlimit(0.0f, 1.0f, unit) * (info_.highest - info_.lowest);
}

void HostParameter::setValue(float unit) {
    if (!info_.meter) parameters_.set(index_, from_unit(unit));
}

int HostParameter::getNumSteps() const {
    switch (info_.type) {
    case ParameterType::choice_:
        return static_cast<int>(info_.choice_count);
    case ParameterType::float_:
        return AudioProcessorParameter::getNumSteps();
    default:
        return 2;
    }
}

juce::String HostParameter::text_of(float plain) const {
    switch (info_.type) {
    case ParameterType::choice_: {
        const auto choice = static_cast<std::uint32_t>(juce::jmax(0.0f, plain + 0.5f));
        return juce::String::fromUTF8(info_.choices[juce::jmin(choice, info_.choice_count - 1)]);
    }
    case ParameterType::float_:
        return juce::String(plain, info_.meter ? 0 : info_.highest - info_.lowest > 10.0f ? 2 : 3);
    default:
        return plain > 0.5f ? "On" : "Off";
    }
}

juce::String HostParameter::getText(float unit, int length) const {
    const juce::String text = text_of(from_unit(unit));
    return length > 0 ? text.substring(0, length) : text;
}

float HostParameter::getValueForText(const juce::String& text) const {
    for (std::uint32_t i = 0; i < info_.choice_count; ++i)
        if (text.trim().equalsIgnoreCase(juce::String::fromUTF8(info_.choices[i])))
            return to_unit(static_cast<float>(i));
    if (isBoolean() && (text.equalsIgnoreCase("on") || text.equalsIgnoreCase("true"))) return 1.0f;
    return juce::jlimit(0.0f, 1.0f, to_unit(text.getFloatValue()));
}

} // namespace terzetto::plugin
