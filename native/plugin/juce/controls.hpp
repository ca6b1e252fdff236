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

// A slider that keys move too: arrows and page keys, with Shift in small steps.
class KeyedSlider final : public juce::Slider {
public:
    bool keyPressed(const juce::KeyPress& key) override;
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
    KeyedSlider slider_;
};

// A button for each choice, in a row; the parameter's name before them, unless it stands elsewhere.
class Choices final : public Control {
public:
    explicit Choices(HostParameter& parameter, bool named = true);
    void refresh() override;
    void resized() override;

private:
    HostParameter& parameter_;
    const bool named_;
    juce::Label name_;
    std::vector<std::unique_ptr<juce::TextButton>> buttons_;
};

// A list that opens, where there are more choices than a row holds.
class Menu final : public Control {
public:
    explicit Menu(HostParameter& parameter);
    void refresh() override;
    void resized() override;

private:
    HostParameter& parameter_;
    juce::Label name_;
    juce::ComboBox list_;
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

// What happens once, whenever it is pressed.
class Trigger final : public Control {
public:
    explicit Trigger(HostParameter& parameter);
    void refresh() override {}
    void resized() override { button_.setBounds(getLocalBounds()); }

private:
    juce::TextButton button_;
};

// How a part is called and found without being seen, and that keys reach it.
void introduce(juce::Component& part, const HostParameter& parameter, const juce::String& addition = {});
// Which way an arrow key goes: -1, 0 or 1 across and up.
juce::Point<int> direction(const juce::KeyPress& key);

} // namespace terzetto::plugin
