// SPDX-License-Identifier: GPL-3.0-or-later
// The pad: two parameters in one control.
#pragma once

#include "controls.hpp"

namespace terzetto::plugin {

// Two parameters at once, by a point in the plane; arrow keys move it, with Shift in small steps.
class Pad final : public Control {
public:
    Pad(HostParameter& across, HostParameter& up);
    void refresh() override;
    juce::String text() const; // where the point is, in words
    std::unique_ptr<juce::AccessibilityHandler> createAccessibilityHandler() override;
    bool keyPressed(const juce::KeyPress& key) override;
    void paint(juce::Graphics& g) override;
    void mouseDown(const juce::MouseEvent& event) override;
    void mouseDrag(const juce::MouseEvent& event) override;
    void mouseUp(const juce::MouseEvent& event) override;

private:
    void move(float x, float y); // 0..1

    juce::Point<float> shown_;
    HostParameter &across_, &up_;
};

} // namespace terzetto::plugin
