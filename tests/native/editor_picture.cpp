// SPDX-License-Identifier: GPL-3.0-or-later
// Draws an instrument's editor into a PNG, without a display: editor_picture INSTRUMENT FILE [SCALE [NAME=VALUE…]].
#include "editor.hpp"

#include <cstdio>
#include <cstdlib>

int main(int count, char** words) {
    if (count < 3) {
        std::fputs("usage: editor_picture INSTRUMENT FILE [SCALE [NAME=VALUE...]]\n", stderr);
        return 2;
    }
    const terzetto::plugin::InstrumentInfo* instrument = terzetto::plugin::find_instrument(words[1]);
    if (!instrument) {
        std::fprintf(stderr, "editor_picture: no instrument %s\n", words[1]);
        return 2;
    }
    const juce::ScopedJuceInitialiser_GUI juce_lives;
    terzetto::plugin::Processor processor(*instrument);
    processor.enableAllBuses();
    processor.prepareToPlay(48000.0, 512);
    for (int i = 4; i < count; ++i) {
        const juce::String word(words[i]);
        const std::string name = word.upToFirstOccurrenceOf("=", false, false).toStdString();
        if (auto* parameter = processor.parameter(name))
            parameter->set_plain(word.fromFirstOccurrenceOf("=", false, false).getFloatValue());
        else if (name == "state")
            processor.instance().set_state(
                juce::File(word.fromFirstOccurrenceOf("=", false, false)).loadFileAsString().toStdString());
    }
    const float scale = count > 3 ? static_cast<float>(std::atof(words[3])) : 1.0f;
    const std::unique_ptr<juce::AudioProcessorEditor> editor(processor.createEditor());
    static_cast<terzetto::plugin::Editor&>(*editor).refresh();
    const juce::Image picture = editor->createComponentSnapshot(editor->getLocalBounds(), true, scale);
    const juce::File file = juce::File::getCurrentWorkingDirectory().getChildFile(words[2]);
    file.deleteFile();
    juce::FileOutputStream stream(file);
    const bool written = stream.openedOk() && juce::PNGImageFormat().writeImageToStream(picture, stream);
    if (!written) std::fprintf(stderr, "editor_picture: cannot write %s\n", words[2]);
    return written ? 0 : 1;
}
