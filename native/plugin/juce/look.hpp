// SPDX-License-Identifier: GPL-3.0-or-later
// How the editors look: dark and neutral, with one accent an instrument.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include <memory>
#include <string_view>

namespace terzetto::plugin {

class Look final : public juce::LookAndFeel_V4 {
public:
    explicit Look(std::string_view instrument);

    static juce::Colour background() { return juce::Colour(0xff1e2124); }
    static juce::Colour panel() { return juce::Colour(0xff282c30); }
    static juce::Colour line() { return juce::Colour(0xff464c52); }
    static juce::Colour text() { return juce::Colour(0xffe4e6e8); }
    static juce::Colour quiet() { return juce::Colour(0xff9aa2a9); }
    juce::Colour accent() const { return accent_; }

    juce::Font getTextButtonFont(juce::TextButton&, int) override { return juce::Font(14.0f); }
    juce::Font getLabelFont(juce::Label& label) override { return label.getFont(); }
    void drawButtonBackground(juce::Graphics& g, juce::Button& button, const juce::Colour& colour, bool over,
                              bool down) override;
    void drawLinearSlider(juce::Graphics& g, int x, int y, int width, int height, float position, float lowest,
                          float highest, juce::Slider::SliderStyle style, juce::Slider& slider) override;
    juce::Label* createSliderTextBox(juce::Slider& slider) override;
    std::unique_ptr<juce::FocusOutline> createFocusOutlineForComponent(juce::Component&) override;
    int getSliderThumbRadius(juce::Slider&) override { return 7; }
    void drawProgressBar(juce::Graphics& g, juce::ProgressBar& bar, int width, int height, double progress,
                         const juce::String& text) override;

private:
    const juce::Colour accent_;
};

} // namespace terzetto::plugin
