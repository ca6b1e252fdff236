// SPDX-License-Identifier: GPL-3.0-or-later
#include "controls.hpp"

namespace terzetto::plugin {

namespace {

constexpr int kNameWidth = 66, kValueWidth = 52;

void set_name(juce::Label& label, const HostParameter& parameter, juce::Justification where) {
    label.setText(juce::String::fromUTF8(parameter.info().title), juce::dontSendNotification);
    label.setFont(juce::Font(14.0f));
    label.setJustificationType(where);
    label.setColour(juce::Label::textColourId, Look::quiet());
    label.setBorderSize({});
    label.setMinimumHorizontalScale(1.0f);
    label.setInterceptsMouseClicks(false, false);
    label.setAccessible(false); // what it names has the name too
}

juce::String description(const HostParameter& parameter) {
    return juce::String::fromUTF8(parameter.info().description);
}

// A count, such as a seed: no share of anything.
bool is_count(const ParameterInfo& info) {
    return *info.unit == '\0' && info.highest - info.lowest > 2.0f;
}

// Levels fall to silence, shares of 1 are told in per cent, all else in its unit.
juce::String shown(const ParameterInfo& info, double value) {
    const juce::String unit = juce::String::fromUTF8(info.unit);
    if (is_count(info)) return juce::String(juce::roundToInt(value));
    if (unit.isEmpty()) return juce::String(juce::roundToInt(value * 100.0)) + " %";
    if (unit == "dB" && value <= static_cast<double>(info.lowest))
        return juce::String(juce::CharPointer_UTF8("\xe2\x88\x92\xe2\x88\x9e dB"));
    if (value >= 100.0) return juce::String(juce::roundToInt(value)) + " " + unit; // there is no room for more
    return juce::String(value, 1) + " " + unit;
}

double read(const ParameterInfo& info, const juce::String& text) {
    if (is_count(info)) return text.getDoubleValue();
    if (*info.unit == '\0') return text.getDoubleValue() / 100.0;
    const juce::String plain = text.trim().replace(juce::String(juce::CharPointer_UTF8("\xe2\x88\x92")), "-");
    const bool silence =
        plain.startsWithIgnoreCase("-inf") || plain.startsWith(juce::String(juce::CharPointer_UTF8("-\xe2\x88\x9e")));
    return silence ? static_cast<double>(info.lowest) : plain.getDoubleValue();
}

} // namespace

void introduce(juce::Component& part, const HostParameter& parameter, const juce::String& addition) {
    part.setTitle(juce::String::fromUTF8(parameter.info().title) + addition);
    part.setDescription(description(parameter));
    part.setWantsKeyboardFocus(true);
    part.setHasFocusOutline(true);
}

juce::Point<int> direction(const juce::KeyPress& key) {
    const auto is = [&key](int code) { return key.isKeyCode(code) ? 1 : 0; };
    return {is(juce::KeyPress::rightKey) - is(juce::KeyPress::leftKey),
            is(juce::KeyPress::upKey) - is(juce::KeyPress::downKey)};
}

bool KeyedSlider::keyPressed(const juce::KeyPress& key) {
    const juce::Point<int> way = direction(key);
    int steps = way.x + way.y;
    if (key.isKeyCode(juce::KeyPress::pageUpKey)) steps = 6;
    if (key.isKeyCode(juce::KeyPress::pageDownKey)) steps = -6;
    if (steps == 0) return false;
    const double step = getInterval() > 0.0 ? 10.0 * getInterval() : 0.02 * getRange().getLength();
    setValue(getValue() + steps * step * (key.getModifiers().isShiftDown() ? 0.1 : 1.0), juce::sendNotificationSync);
    return true;
}

Fader::Fader(HostParameter& parameter, bool upright) : parameter_(parameter), upright_(upright) {
    set_name(name_, parameter, upright ? juce::Justification::centred : juce::Justification::centredLeft);
    addAndMakeVisible(name_);
    const ParameterInfo& info = parameter.info();
    const bool decibels = juce::String(info.unit) == "dB";
    slider_.setSliderStyle(upright ? juce::Slider::LinearVertical : juce::Slider::LinearHorizontal);
    slider_.setTextBoxStyle(upright ? juce::Slider::TextBoxBelow : juce::Slider::TextBoxRight, false,
                            upright ? 76 : kValueWidth, 20);
    slider_.setRange(info.lowest, info.highest, decibels ? 0.1 : is_count(info) ? 1.0 : 0.0);
    if (decibels) slider_.setSkewFactorFromMidPoint(-12.0); // most of the way is where it is heard
    slider_.setDoubleClickReturnValue(true, info.initial);
    slider_.setTooltip(description(parameter));
    introduce(slider_, parameter);
    slider_.textFromValueFunction = [&info](double value) { return shown(info, value); };
    slider_.valueFromTextFunction = [&info](const juce::String& text) { return read(info, text); };
    slider_.onDragStart = [this] {
        held_ = true;
        parameter_.beginChangeGesture();
    };
    slider_.onDragEnd = [this] {
        held_ = false;
        parameter_.endChangeGesture();
    };
    slider_.onValueChange = [this] {
        if (!held_) parameter_.beginChangeGesture();
        parameter_.set_plain(static_cast<float>(slider_.getValue()));
        if (!held_) parameter_.endChangeGesture();
    };
    addAndMakeVisible(slider_);
    refresh();
    slider_.updateText();
}

void Fader::refresh() {
    if (!held_) slider_.setValue(parameter_.plain(), juce::dontSendNotification);
}

void Fader::resized() {
    auto area = getLocalBounds();
    name_.setBounds(upright_ ? area.removeFromTop(20) : area.removeFromLeft(kNameWidth));
    slider_.setBounds(area);
}

Choices::Choices(HostParameter& parameter, bool named) : parameter_(parameter), named_(named) {
    set_name(name_, parameter, juce::Justification::centredLeft);
    if (named) addAndMakeVisible(name_);
    const ParameterInfo& info = parameter.info();
    for (std::uint32_t i = 0; i < info.choice_count; ++i) {
        const juce::String text = juce::String::fromUTF8(info.choices[i]);
        buttons_.push_back(std::make_unique<juce::TextButton>(text.substring(0, 1).toUpperCase() + text.substring(1)));
        juce::TextButton& button = *buttons_.back();
        button.setConnectedEdges((i > 0 ? juce::Button::ConnectedOnLeft : 0) |
                                 (i + 1 < info.choice_count ? juce::Button::ConnectedOnRight : 0));
        button.setTooltip(description(parameter));
        introduce(button, parameter, ": " + text);
        button.setToggleable(true);
        button.setRadioGroupId(1);
        button.onClick = [this, i] {
            parameter_.beginChangeGesture();
            parameter_.set_plain(static_cast<float>(i));
            parameter_.endChangeGesture();
            refresh();
        };
        addAndMakeVisible(button);
    }
    refresh();
}

void Choices::refresh() {
    const int chosen = juce::roundToInt(parameter_.plain());
    for (std::size_t i = 0; i < buttons_.size(); ++i)
        buttons_[i]->setToggleState(static_cast<int>(i) == chosen, juce::dontSendNotification);
}

void Choices::resized() {
    auto area = getLocalBounds();
    if (named_) name_.setBounds(area.removeFromLeft(kNameWidth));
    area = area.withSizeKeepingCentre(area.getWidth(), juce::jmin(26, area.getHeight()));
    const int count = static_cast<int>(buttons_.size());
    for (int i = 0; i < count; ++i)
        buttons_[static_cast<std::size_t>(i)]->setBounds(area.removeFromLeft(area.getWidth() / (count - i)));
}

Menu::Menu(HostParameter& parameter) : parameter_(parameter) {
    set_name(name_, parameter, juce::Justification::centredLeft);
    addAndMakeVisible(name_);
    const ParameterInfo& info = parameter.info();
    for (std::uint32_t i = 0; i < info.choice_count; ++i) {
        const juce::String text = juce::String::fromUTF8(info.choices[i]);
        list_.addItem(text.substring(0, 1).toUpperCase() + text.substring(1), static_cast<int>(i) + 1);
    }
    list_.setTooltip(description(parameter));
    introduce(list_, parameter);
    list_.onChange = [this] {
        parameter_.beginChangeGesture();
        parameter_.set_plain(static_cast<float>(list_.getSelectedId() - 1));
        parameter_.endChangeGesture();
    };
    addAndMakeVisible(list_);
    refresh();
}

void Menu::refresh() {
    list_.setSelectedId(juce::roundToInt(parameter_.plain()) + 1, juce::dontSendNotification);
}

void Menu::resized() {
    auto area = getLocalBounds();
    name_.setBounds(area.removeFromLeft(kNameWidth));
    list_.setBounds(area.withSizeKeepingCentre(area.getWidth(), juce::jmin(26, area.getHeight())));
}

Switch::Switch(HostParameter& parameter) : parameter_(parameter) {
    button_.setButtonText(juce::String::fromUTF8(parameter.info().title));
    button_.setTooltip(description(parameter));
    introduce(button_, parameter);
    button_.onClick = [this] {
        parameter_.beginChangeGesture();
        parameter_.set_plain(button_.getToggleState() ? 1.0f : 0.0f);
        parameter_.endChangeGesture();
    };
    addAndMakeVisible(button_);
    refresh();
}

void Switch::refresh() {
    button_.setToggleState(parameter_.plain() > 0.5f, juce::dontSendNotification);
}

Trigger::Trigger(HostParameter& parameter) {
    button_.setButtonText(juce::String::fromUTF8(parameter.info().title));
    button_.setTooltip(description(parameter));
    introduce(button_, parameter);
    button_.onClick = [&parameter] { // it goes back by itself when the engine has been told
        parameter.beginChangeGesture();
        parameter.set_plain(1.0f);
        parameter.endChangeGesture();
    };
    addAndMakeVisible(button_);
}

} // namespace terzetto::plugin
