// SPDX-License-Identifier: GPL-3.0-or-later
// Draws an instrument's editor into a PNG, without a display: editor_picture INSTRUMENT FILE [SCALE [NAME=VALUE…]].
// INSTRUMENT "test" is the one of editor_table.hpp. NAME is a parameter, or state (a file), size (WIDTHxHEIGHT; what is
// beyond the limits is held to them), drop (a file), drag (where a copy of the file that is
// dragged out goes), press (a key's description; goes to the part that TITLE@… names,
// as in "press=Left gain@cursor up"). Prints a line for each part that keys reach, in their order: its title, value and
// description.
#include "editor.hpp"
#include "editor_table.hpp"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

namespace {

using terzetto::plugin::Editor;

std::vector<juce::Component*> reached(Editor& editor) {
    return juce::KeyboardFocusTraverser().getAllComponents(&editor);
}

juce::String shown(juce::Component& part) {
    if (auto* slider = dynamic_cast<juce::Slider*>(&part)) return slider->getTextFromValue(slider->getValue());
    if (auto* button = dynamic_cast<juce::Button*>(&part)) return button->getToggleState() ? "on" : "off";
    if (auto* label = dynamic_cast<juce::Label*>(&part)) return label->getText();
    if (auto* pad = dynamic_cast<terzetto::plugin::Pad*>(&part)) return pad->text();
    return {};
}

bool drop(juce::Component& editor, const juce::String& file) {
    for (juce::Component* part : editor.getChildren()) {
        auto* target = dynamic_cast<juce::FileDragAndDropTarget*>(part);
        if (!target || !target->isInterestedInFileDrag({file})) continue;
        target->filesDropped({file}, 0, 0);
        return true;
    }
    return false;
}

// Copies the file that would be dragged out.
bool drag(juce::Component& editor, const juce::String& copy) {
    for (juce::Component* part : editor.getChildren()) {
        const auto* panel = dynamic_cast<terzetto::plugin::PatternPanel*>(part);
        if (!panel) continue;
        const juce::File file = panel->write();
        return file.existsAsFile() && file.moveFileTo(juce::File(copy));
    }
    return false;
}

// A button's click comes with the message loop; its action does not.
bool press(Editor& editor, const juce::String& title, const juce::String& key) {
    for (juce::Component* part : reached(editor)) {
        if (part->getTitle() != title) continue;
        auto* button = dynamic_cast<juce::Button*>(part);
        if (button && button->onClick && key == "return") {
            button->onClick();
            return true;
        }
        return part->keyPressed(juce::KeyPress::createFromDescription(key));
    }
    return false;
}

} // namespace

int main(int count, char** words) {
    if (count < 3) {
        std::fputs("usage: editor_picture INSTRUMENT FILE [SCALE [NAME=VALUE...]]\n", stderr);
        return 2;
    }
    const bool test = std::string_view(words[1]) == "test";
    const terzetto::plugin::InstrumentInfo* instrument =
        test ? &terzetto::test::kInstrument : terzetto::plugin::find_instrument(words[1]);
    if (!instrument) {
        std::fprintf(stderr, "editor_picture: no instrument %s\n", words[1]);
        return 2;
    }
    const juce::ScopedJuceInitialiser_GUI juce_lives;
    terzetto::plugin::Processor processor(*instrument);
    processor.enableAllBuses();
    processor.prepareToPlay(48000.0, 512);
    const std::unique_ptr<juce::AudioProcessorEditor> made(processor.createEditor());
    Editor& editor = static_cast<Editor&>(*made);
    for (int i = 4; i < count; ++i) {
        const juce::String word = juce::String::fromUTF8(words[i]);
        const juce::String name = word.upToFirstOccurrenceOf("=", false, false);
        const juce::String value = word.fromFirstOccurrenceOf("=", false, false);
        if (auto* parameter = processor.parameter(name.toStdString())) {
            parameter->set_plain(value.getFloatValue());
        } else if (name == "state") {
            processor.instance().set_state(juce::File(value).loadFileAsString().toStdString());
        } else if (name == "size") {
            auto bounds = editor.getBounds().withSize(value.getIntValue(),
                                                      value.fromFirstOccurrenceOf("x", false, false).getIntValue());
            editor.getConstrainer()->setBoundsForComponent(&editor, bounds, false, false, true, true);
        } else if (!(name == "drop"   ? drop(editor, value)
                     : name == "drag" ? drag(editor, value)
                                      : press(editor, value.upToFirstOccurrenceOf("@", false, false),
                                              value.fromFirstOccurrenceOf("@", false, false)))) {
            std::fprintf(stderr, "editor_picture: nothing takes %s\n", words[i]);
            return 1;
        }
    }
    editor.refresh();
    for (juce::Component* part : reached(editor))
        std::printf("%s\t%s\t%s\n", part->getTitle().toRawUTF8(), shown(*part).toRawUTF8(),
                    part->getDescription().toRawUTF8());
    const float scale = count > 3 ? static_cast<float>(std::atof(words[3])) : 1.0f;
    const juce::Image picture = editor.createComponentSnapshot(editor.getLocalBounds(), true, scale);
    const juce::File file = juce::File::getCurrentWorkingDirectory().getChildFile(words[2]);
    file.deleteFile();
    juce::FileOutputStream stream(file);
    const bool written = stream.openedOk() && juce::PNGImageFormat().writeImageToStream(picture, stream);
    if (!written) std::fprintf(stderr, "editor_picture: cannot write %s\n", words[2]);
    return written ? 0 : 1;
}
