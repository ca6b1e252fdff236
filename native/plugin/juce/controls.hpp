// SPDX-License-Identifier: GPL-3.0-or-later
// What the editors are put together from: a control for each kind of parameter.
#pragma once

#include "host_parameter.hpp"
#include "look.hpp"

#include <juce_gui_basics/juce_gui_basics.h>

#include <memory>
#include <vector>

namespace terzetto::plugin {

// A control shows its parameter when it is told to; the editor does that some times a second.
class Control : public juce::Component {
public:
    virtual void refresh() = 0;
};

// A fader with its name above and its value below; or lying, with its name on the left and its value on the right.
class Fader final : public Control {
public:
    Fader(HostParameter& parameter, bool upright);
    void refresh() override;
    void resized() override;

private:
    HostParameter& parameter_;
    const bool upright_;
    bool held_ = false;
    juce::Label name_;
    juce::Slider slider_;
};

// A button for each choice, in a row.
class Choices final : public Control {
public:
    explicit Choices(HostParameter& parameter);
    void refresh() override;
    void resized() override;

private:
    HostParameter& parameter_;
    juce::Label name_;
    std::vector<std::unique_ptr<juce::TextButton>> buttons_;
};

class Switch final : public Control {
public:
    explicit Switch(HostParameter& parameter);
    void refresh() override;
    void resized() override { button_.setBounds(getLocalBounds()); }

private:
    HostParameter& parameter_;
    juce::ToggleButton button_;
};

// Two parameters at once, by a point in the plane.
class Pad final : public Control {
public:
    Pad(HostParameter& across, HostParameter& up);
    void refresh() override;
    void paint(juce::Graphics& g) override;
    void mouseDown(const juce::MouseEvent& event) override;
    void mouseDrag(const juce::MouseEvent& event) override;
    void mouseUp(const juce::MouseEvent& event) override;

private:
    juce::Point<float> shown_;
    HostParameter &across_, &up_;
};

} // namespace terzetto::plugin
