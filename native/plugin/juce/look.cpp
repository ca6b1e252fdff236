// SPDX-License-Identifier: GPL-3.0-or-later
#include "look.hpp"

namespace terzetto::plugin {

namespace {

juce::Colour accent_of(std::string_view instrument) {
    if (instrument == "drums") return juce::Colour(0xffe2954a);
    if (instrument == "timbre") return juce::Colour(0xffa58be0);
    return juce::Colour(0xff55b8a6);
}

} // namespace

Look::Look(std::string_view instrument) : accent_(accent_of(instrument)) {
    setColour(juce::Label::textColourId, text());
    setColour(juce::Slider::textBoxTextColourId, text());
    setColour(juce::Slider::textBoxOutlineColourId, juce::Colours::transparentBlack);
    setColour(juce::Slider::textBoxBackgroundColourId, juce::Colours::transparentBlack);
    setColour(juce::Slider::textBoxHighlightColourId, accent_.withAlpha(0.4f));
    setColour(juce::TextEditor::focusedOutlineColourId, accent_);
    setColour(juce::TextButton::buttonColourId, panel().brighter(0.08f));
    setColour(juce::TextButton::buttonOnColourId, accent_);
    setColour(juce::TextButton::textColourOffId, text());
    setColour(juce::TextButton::textColourOnId, background());
    setColour(juce::ToggleButton::textColourId, text());
    setColour(juce::ToggleButton::tickColourId, accent_);
    setColour(juce::ToggleButton::tickDisabledColourId, quiet());
    setColour(juce::TooltipWindow::backgroundColourId, panel());
    setColour(juce::TooltipWindow::textColourId, text());
    setColour(juce::TooltipWindow::outlineColourId, line());
}

void Look::drawButtonBackground(juce::Graphics& g, juce::Button& button, const juce::Colour& colour, bool over,
                                bool down) {
    const auto bounds = button.getLocalBounds().toFloat().reduced(0.5f);
    const float radius = 4.0f;
    juce::Path shape;
    const bool left = button.isConnectedOnLeft(), right = button.isConnectedOnRight();
    shape.addRoundedRectangle(bounds.getX(), bounds.getY(), bounds.getWidth(), bounds.getHeight(), radius, radius,
                              !left, !right, !left, !right);
    g.setColour(down ? colour.brighter(0.2f) : over ? colour.brighter(0.1f) : colour);
    g.fillPath(shape);
    g.setColour(line());
    g.strokePath(shape, juce::PathStrokeType(1.0f));
}

void Look::drawLinearSlider(juce::Graphics& g, int x, int y, int width, int height, float position, float, float,
                            juce::Slider::SliderStyle style, juce::Slider& slider) {
    const bool upright = style == juce::Slider::LinearVertical;
    const auto area = juce::Rectangle<int>(x, y, width, height).toFloat();
    const float middle = upright ? area.getCentreX() : area.getCentreY();
    juce::Path track, filled;
    const juce::Point<float> start =
        upright ? juce::Point<float>(middle, area.getBottom()) : juce::Point<float>(area.getX(), middle);
    const juce::Point<float> end =
        upright ? juce::Point<float>(middle, area.getY()) : juce::Point<float>(area.getRight(), middle);
    const juce::Point<float> thumb =
        upright ? juce::Point<float>(middle, position) : juce::Point<float>(position, middle);
    track.startNewSubPath(start);
    track.lineTo(end);
    filled.startNewSubPath(start);
    filled.lineTo(thumb);
    const juce::PathStrokeType stroke(4.0f, juce::PathStrokeType::curved, juce::PathStrokeType::rounded);
    g.setColour(line());
    g.strokePath(track, stroke);
    g.setColour(slider.isEnabled() ? accent_ : quiet());
    g.strokePath(filled, stroke);
    if (upright && slider.getMinimum() < 0.0 && slider.getMaximum() > 0.0) { // where nothing is changed
        const auto zero =
            area.getBottom() - area.getHeight() * static_cast<float>(slider.valueToProportionOfLength(0.0));
        g.setColour(quiet());
        g.drawLine(middle - 14.0f, zero, middle - 8.0f, zero, 1.0f);
        g.drawLine(middle + 8.0f, zero, middle + 14.0f, zero, 1.0f);
    }
    g.setColour(text());
    if (upright)
        g.fillRoundedRectangle(juce::Rectangle<float>(24.0f, 12.0f).withCentre(thumb), 3.0f);
    else
        g.fillRoundedRectangle(juce::Rectangle<float>(12.0f, 18.0f).withCentre(thumb), 3.0f);
}

juce::Label* Look::createSliderTextBox(juce::Slider& slider) {
    juce::Label* box = LookAndFeel_V4::createSliderTextBox(slider);
    box->setTitle(slider.getTitle() + ", typed");
    box->setHasFocusOutline(true);
    return box;
}

std::unique_ptr<juce::FocusOutline> Look::createFocusOutlineForComponent(juce::Component&) {
    struct Outline final : juce::FocusOutline::OutlineWindowProperties {
        explicit Outline(juce::Colour colour) : colour_(colour) {}
        juce::Rectangle<int> getOutlineBounds(juce::Component& part) override {
            return part.getScreenBounds().expanded(2);
        }
        void drawOutline(juce::Graphics& g, int width, int height) override {
            g.setColour(colour_);
            g.drawRoundedRectangle(juce::Rectangle<int>(width, height).toFloat().reduced(0.75f), 5.0f, 1.5f);
        }
        const juce::Colour colour_;
    };
    return std::make_unique<juce::FocusOutline>(std::make_unique<Outline>(accent_));
}

void Look::drawProgressBar(juce::Graphics& g, juce::ProgressBar&, int width, int height, double progress,
                           const juce::String& words) {
    const auto bounds = juce::Rectangle<int>(width, height).toFloat().reduced(0.5f);
    g.setColour(background());
    g.fillRoundedRectangle(bounds, 4.0f);
    g.setColour(accent_.withAlpha(0.6f));
    g.fillRoundedRectangle(bounds.withWidth(bounds.getWidth() * static_cast<float>(juce::jlimit(0.0, 1.0, progress))),
                           4.0f);
    g.setColour(line());
    g.drawRoundedRectangle(bounds, 4.0f, 1.0f);
    g.setColour(text());
    g.setFont(juce::Font(13.0f));
    g.drawText(words, bounds, juce::Justification::centred);
}

} // namespace terzetto::plugin
