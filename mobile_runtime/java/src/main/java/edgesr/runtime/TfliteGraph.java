package edgesr.runtime;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** One subgraph of a .tflite file, in which every operator reads only what exists by then. */
final class TfliteGraph {
    final List<TfliteTensor> tensors;
    final Set<Integer> inputs = new HashSet<>();
    final Set<Integer> outputs = new HashSet<>();

    private final BitSet written = new BitSet();
    private final BitSet ready = new BitSet();

    private TfliteGraph(List<TfliteTensor> tensors) {
        this.tensors = tensors;
    }

    /** Reads and checks one subgraph of a file with these buffers and so many operator codes. */
    static TfliteGraph read(FlatTable table, List<FlatVector> buffers, int operatorCodes, int maxItems)
            throws Refused {
        List<TfliteTensor> tensors = new ArrayList<>();
        for (FlatTable item : table.tables(0, maxItems)) {
            tensors.add(TfliteTensor.read(item, buffers));
        }
        TfliteGraph graph = new TfliteGraph(tensors);
        int[] outputs = graph.readEnds(table);
        for (FlatTable operator : table.tables(3, maxItems)) {
            graph.checkOperator(operator, operatorCodes);
        }
        for (int index : outputs) {
            if (!graph.ready.get(index)) {
                throw new Refused("output " + tensors.get(index).label + " is never computed");
            }
            graph.outputs.add(index);
        }
        return graph;
    }

    /** Takes note of what exists before the first operator; the indices of the outputs. */
    private int[] readEnds(FlatTable table) throws Refused {
        int[] first = indices(table, 1, 0);
        int[] last = indices(table, 2, 0);
        for (int index : first) {
            if (tensors.get(index).constant) {
                throw new Refused(tensors.get(index).label + " is an input and a constant");
            }
            inputs.add(index);
            written.set(index);
            ready.set(index);
        }
        for (int index = 0; index < tensors.size(); index++) {
            if (tensors.get(index).constant || tensors.get(index).variable) {
                ready.set(index);
            }
        }
        return last;
    }

    private void checkOperator(FlatTable operator, int operatorCodes) throws Refused {
        if (operator.uint32(0) >= operatorCodes) {
            throw new Refused("an operator has no operator code");
        }
        for (int slot : new int[] {4, 12}) {
            FlatTable options = operator.table(slot);
            if (options != null) {
                options.checkFields();
            }
        }
        for (int index : indices(operator, 1, -1)) {
            if (index >= 0 && !ready.get(index)) {
                throw new Refused(tensors.get(index).label + " is read before it is computed");
            }
        }
        indices(operator, 8, -1);
        for (int index : indices(operator, 2, 0)) {
            if (written.get(index) || tensors.get(index).constant) {
                throw new Refused(tensors.get(index).label + " is computed twice or a constant");
            }
            written.set(index);
            ready.set(index);
        }
    }

    /** The tensor indices in {@code slot}, none below {@code lowest}; -1 is an optional input left out. */
    private int[] indices(FlatTable table, int slot, int lowest) throws Refused {
        int[] found = table.numbers(slot, 4).toInts();
        for (int index : found) {
            if (index < lowest || index >= tensors.size()) {
                throw new Refused("it names tensor " + index + " of " + tensors.size());
            }
        }
        return found;
    }
}
