// SPDX-License-Identifier: GPL-3.0-or-later
#include "pad.hpp"

namespace terzetto::plugin {

namespace {
constexpr float kMark = 7.0f; // pixels around a mark that are its own
}

Pad::Pad(HostParameter& across, HostParameter& up, const juce::String& name) : name_(name), across_(across), up_(up) {
    introduce(*this, across, ", " + juce::String::fromUTF8(up.info().title));
    refresh();
}

juce::String Pad::text() const {
    juce::String text = across_.text_of(across_.plain()) + ", " + up_.text_of(up_.plain());
    for (const Mark& mark : marks_)
        if (mark.at.getDistanceFrom(shown_) < 0.005f) text << ": " << mark.name;
    return text;
}

std::unique_ptr<juce::AccessibilityHandler> Pad::createAccessibilityHandler() {
    struct Value final : juce::AccessibilityTextValueInterface {
        explicit Value(const Pad& pad) : pad_(pad) {}
        bool isReadOnly() const override { return true; }
        juce::String getCurrentValueAsString() const override { return pad_.text(); }
        void setValueAsString(const juce::String&) override {}
        const Pad& pad_;
    };
    return std::make_unique<juce::AccessibilityHandler>(
        *this, juce::AccessibilityRole::group, juce::AccessibilityActions{},
        juce::AccessibilityHandler::Interfaces{std::make_unique<Value>(*this)});
}

bool Pad::keyPressed(const juce::KeyPress& key) {
    const juce::Point<int> way = direction(key);
    if (way.isOrigin()) return false;
    const float step = key.getModifiers().isShiftDown() ? 0.002f : 0.02f;
    across_.beginChangeGesture();
    up_.beginChangeGesture();
    move(across_.getValue() + step * static_cast<float>(way.x), up_.getValue() + step * static_cast<float>(way.y));
    across_.endChangeGesture();
    up_.endChangeGesture();
    return true;
}

void Pad::move(float x, float y) {
    across_.setValueNotifyingHost(juce::jlimit(0.0f, 1.0f, x));
    up_.setValueNotifyingHost(juce::jlimit(0.0f, 1.0f, y));
    if (on_move) on_move();
    refresh();
    if (auto* handler = getAccessibilityHandler())
        handler->notifyAccessibilityEvent(juce::AccessibilityEvent::valueChanged);
}

void Pad::set_counting(bool counts) {
    if (counts == counts_) return;
    counts_ = counts;
    repaint();
}

void Pad::set_marks(std::vector<Mark> marks) {
    if (marks == marks_) return;
    marks_ = std::move(marks);
    repaint();
}

void Pad::refresh() {
    const juce::Point<float> now(across_.getValue(), up_.getValue());
    if (now == shown_) return;
    shown_ = now;
    repaint();
}

void Pad::paint(juce::Graphics& g) {
    const auto area = getLocalBounds().toFloat().reduced(0.5f);
    g.setColour(Look::panel());
    g.fillRoundedRectangle(area, 4.0f);
    g.setColour(Look::line());
    g.drawRoundedRectangle(area, 4.0f, 1.0f);
    g.setColour(Look::line());
    const auto [x, y] = place_of(shown_);
    g.drawVerticalLine(juce::roundToInt(x), area.getY(), area.getBottom());
    g.drawHorizontalLine(juce::roundToInt(y), area.getX(), area.getRight());
    g.setFont(juce::Font(13.0f));
    g.setColour(name_.isEmpty() || !counts_ ? Look::quiet() : Look::text());
    const auto inside = getLocalBounds().reduced(7, 4);
    if (name_.isEmpty()) {
        if (marks_.empty()) g.drawText(juce::String::fromUTF8(up_.info().title), inside, juce::Justification::topLeft);
        if (marks_.empty())
            g.drawText(juce::String::fromUTF8(across_.info().title), inside, juce::Justification::bottomRight);
        paint_marks(g);
    } else {
        g.drawFittedText(name_, getLocalBounds().reduced(5, 3), juce::Justification::topLeft, 1, 0.7f);
    }
    const auto* look = dynamic_cast<Look*>(&getLookAndFeel());
    if (look && counts_) g.setColour(look->accent());
    const float size = name_.isEmpty() ? 14.0f : 9.0f;
    g.fillEllipse(juce::Rectangle<float>(size, size).withCentre({x, y}));
}

juce::Point<float> Pad::place_of(juce::Point<float> at) const {
    const auto area = getLocalBounds().toFloat().reduced(0.5f);
    return {area.getX() + at.x * area.getWidth(), area.getBottom() - at.y * area.getHeight()};
}

void Pad::paint_marks(juce::Graphics& g) const {
    const juce::Font font(13.0f);
    g.setFont(font);
    for (const Mark& mark : marks_) {
        const auto at = place_of(mark.at);
        g.setColour(Look::quiet());
        g.fillEllipse(juce::Rectangle<float>(5.0f, 5.0f).withCentre(at));
        const float width = font.getStringWidthFloat(mark.name) + 2.0f;
        const auto line = juce::Rectangle<float>(width, 16.0f)
                              .withCentre(at.translated(0.0f, at.y < 24.0f ? 12.0f : -12.0f))
                              .constrainedWithin(getLocalBounds().toFloat().reduced(4.0f, 2.0f));
        g.setColour(Look::text());
        g.drawText(mark.name, line, juce::Justification::centred, false);
    }
}

void Pad::mouseDown(const juce::MouseEvent& event) {
    across_.beginChangeGesture();
    up_.beginChangeGesture();
    for (const Mark& mark : marks_)
        if (place_of(mark.at).getDistanceFrom(event.position) < kMark) return move(mark.at.x, mark.at.y);
    mouseDrag(event);
}

void Pad::mouseDrag(const juce::MouseEvent& event) {
    const auto at = event.position;
    move(at.x / static_cast<float>(getWidth()), 1.0f - at.y / static_cast<float>(getHeight()));
}

void Pad::mouseUp(const juce::MouseEvent&) {
    across_.endChangeGesture();
    up_.endChangeGesture();
}

} // namespace terzetto::plugin
