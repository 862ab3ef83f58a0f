package edgesr.runtime;

import java.util.Collections;
import java.util.Map;

/** An entry point of a program: the number format and shape of each tensor that it takes and gives, by name. */
final class Signature {
    private static final String INPUT = "image";
    private static final String OUTPUT = "sr";

    final Map<String, String> inputs;
    final Map<String, String> outputs;

    Signature(Map<String, String> inputs, Map<String, String> outputs) {
        this.inputs = inputs;
        this.outputs = outputs;
    }

    /** One that takes one picture and gives one, under the names that all programs use. */
    static Signature of(String input, String output) {
        return new Signature(Collections.singletonMap(INPUT, input), Collections.singletonMap(OUTPUT, output));
    }

    boolean sameAs(Signature other) {
        return inputs.equals(other.inputs) && outputs.equals(other.outputs);
    }
}
