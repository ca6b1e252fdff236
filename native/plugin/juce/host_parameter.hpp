// SPDX-License-Identifier: GPL-3.0-or-later
// A parameter of the table as JUCE's hosts see it. The value itself lives in terzetto::plugin::Parameters.
#pragma once

#include "parameters.hpp"

#include <juce_audio_processors/juce_audio_processors.h>

namespace terzetto::plugin {

class HostParameter final : public juce::AudioProcessorParameterWithID {
public:
    HostParameter(Parameters& parameters, std::uint32_t index);

    const ParameterInfo& info() const { return info_; }
    float plain() const { return parameters_.value(index_); } // in its own unit
    void set_plain(float value) { setValueNotifyingHost(to_unit(value)); }
    float to_unit(float plain) const; // 0..1
    float from_unit(float unit) const;
    juce::String text_of(float plain) const;

    float getValue() const override { return to_unit(plain()); }
    void setValue(float unit) override;
    float getDefaultValue() const override { return to_unit(info_.initial); }
    int getNumSteps() const override;
    bool isDiscrete() const override { return info_.type != ParameterType::float_; }
    bool isBoolean() const override {
        return info_.type == ParameterType::bool_ || info_.type == ParameterType::trigger_;
    }
    juce::String getText(float unit, int length) const override;
    float getValueForText(const juce::String& text) const override;

private:
    Parameters& parameters_;
    const std::uint32_t index_;
    const ParameterInfo& info_;
};

} // namespace terzetto::plugin
