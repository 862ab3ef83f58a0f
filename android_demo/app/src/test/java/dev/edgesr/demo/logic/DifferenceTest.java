package dev.edgesr.demo.logic;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import org.junit.Test;

public final class DifferenceTest {
    private static ArrayPixels pixels(int... argb) {
        return new ArrayPixels(argb.length, 1, argb);
    }

    @Test
    public void alphaSaysNothing() {
        assertTrue(pixels(0xff102030, 0xff000000).differenceTo(pixels(0x00102030, 0x00000000)).isNone());
    }

    @Test
    public void everyValueCountsAndTheLargestIsTold() {
        Difference difference = pixels(0xff102030, 0xffff0000).differenceTo(pixels(0xff112030, 0xff0000ff));
        assertFalse(difference.isNone());
        assertEquals(3, difference.values);
        assertEquals(255, difference.largest);
    }

    @Test
    public void anotherSizeIsADifferenceOfItsOwn() {
        Difference difference = pixels(1, 2).differenceTo(new ArrayPixels(1, 2, new int[] {1, 2}));
        assertTrue(difference.sizes);
        assertFalse(difference.isNone());
    }

    @Test
    public void whatIsWrittenInStripsIsRead() {
        ArrayPixels sink = new ArrayPixels();
        sink.begin(2, 3, false);
        sink.writeRows(new int[] {1, 2, 3, 4, 9, 9}, 2);
        sink.writeRows(new int[] {5, 6, 9, 9, 9, 9}, 1);
        assertTrue(sink.differenceTo(new ArrayPixels(2, 3, new int[] {1, 2, 3, 4, 5, 6})).isNone());
        int[] row = new int[3];
        sink.readRows(1, 1, row, 1);
        assertEquals(3, row[1]);
        assertEquals(4, row[2]);
        sink.abort();
        assertEquals(0, sink.width());
    }

    @Test
    public void aWrongLengthIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> new ArrayPixels(2, 2, new int[3]));
    }
}
