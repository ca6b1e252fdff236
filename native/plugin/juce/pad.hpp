// SPDX-License-Identifier: GPL-3.0-or-later
// The pad: two parameters in one control.
#pragma once

#include "controls.hpp"

#include <functional>

namespace terzetto::plugin {

// Two parameters at once, by a point in the plane; arrow keys move it, with Shift in small steps.
class Pad final : public Control {
public:
    // With a name of its own it is a small one, which says nothing of its sides.
    Pad(HostParameter& across, HostParameter& up, const juce::String& name = {});
    void refresh() override;
    juce::String text() const; // where the point is, in words
    std::unique_ptr<juce::AccessibilityHandler> createAccessibilityHandler() override;
    bool keyPressed(const juce::KeyPress& key) override;
    void paint(juce::Graphics& g) override;
    void mouseDown(const juce::MouseEvent& event) override;
    void mouseDrag(const juce::MouseEvent& event) override;
    void mouseUp(const juce::MouseEvent& event) override;

    // What lies on it, by name. A click upon one is a click into its middle.
    struct Mark {
        juce::String name;
        juce::Point<float> at; // 0..1, upwards
        bool operator==(const Mark& other) const { return name == other.name && at == other.at; }
    };
    void set_marks(std::vector<Mark> marks);

    std::function<void()> on_move;  // by hand
    void set_counting(bool counts); // whether the point is what is heard; drawn dim where it is not

private:
    void move(float x, float y);                              // 0..1
    juce::Point<float> place_of(juce::Point<float> at) const; // in pixels
    void paint_marks(juce::Graphics& g) const;

    const juce::String name_;
    bool counts_ = true;
    juce::Point<float> shown_;
    std::vector<Mark> marks_;
    HostParameter &across_, &up_;
};

} // namespace terzetto::plugin
