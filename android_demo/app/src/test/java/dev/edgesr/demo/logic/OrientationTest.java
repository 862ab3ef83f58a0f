package dev.edgesr.demo.logic;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import org.junit.Test;

public final class OrientationTest {
    /** Stored as 1 2 3 over 4 5 6; how it stands by each EXIF number, row by row. */
    private static final int[][] UPRIGHT = {
        {1, 2, 3, 4, 5, 6},
        {3, 2, 1, 6, 5, 4},
        {6, 5, 4, 3, 2, 1},
        {4, 5, 6, 1, 2, 3},
        {1, 4, 2, 5, 3, 6},
        {4, 1, 5, 2, 6, 3},
        {6, 3, 5, 2, 4, 1},
        {3, 6, 2, 5, 1, 4},
    };
    private static final int[] STORED = {1, 2, 3, 4, 5, 6};

    @Test
    public void eachOrientationStandsAsExifSays() {
        for (int exif = 1; exif <= 8; exif++) {
            Orientation orientation = Orientation.of(exif);
            int width = orientation.swapsAxes() ? 2 : 3;
            int[] upright = new int[7];
            orientation.turn(STORED, width, 6 / width, upright, 1);
            int[] expected = new int[7];
            System.arraycopy(UPRIGHT[exif - 1], 0, expected, 1, 6);
            assertArrayEquals("orientation " + exif, expected, upright);
        }
    }

    /** A part that is looked up and turned is the same part of the whole picture that is turned. */
    @Test
    public void partsComeFromWhereTheyAreStored() {
        int storedWidth = 5;
        int storedHeight = 4;
        int[] stored = new int[storedWidth * storedHeight];
        for (int i = 0; i < stored.length; i++) {
            stored[i] = i;
        }
        for (int exif = 1; exif <= 8; exif++) {
            Orientation orientation = Orientation.of(exif);
            int width = orientation.swapsAxes() ? storedHeight : storedWidth;
            int height = orientation.swapsAxes() ? storedWidth : storedHeight;
            int[] whole = new int[stored.length];
            orientation.turn(stored, width, height, whole, 0);
            int[] part = {1, 2, 3, 4};
            int[] upright = new int[4];
            int[] place = orientation.stored(part, width, height);
            orientation.turn(cut(stored, storedWidth, place), 2, 2, upright, 0);
            assertArrayEquals("orientation " + exif, cut(whole, width, part), upright);
        }
    }

    private static int[] cut(int[] pixels, int stride, int[] part) {
        int[] found = new int[(part[2] - part[0]) * (part[3] - part[1])];
        int at = 0;
        for (int y = part[1]; y < part[3]; y++) {
            for (int x = part[0]; x < part[2]; x++) {
                found[at++] = pixels[y * stride + x];
            }
        }
        return found;
    }

    @Test
    public void numbersThatExifDoesNotKnowChangeNothing() {
        for (int exif : new int[] {-1, 0, 9}) {
            assertTrue(Orientation.of(exif).isUpright());
        }
        assertEquals(true, Orientation.of(1).isUpright());
        assertEquals(false, Orientation.of(5).isUpright());
    }
}
