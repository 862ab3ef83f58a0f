package dev.edgesr.demo.logic;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import org.junit.Test;

public final class FileNamesTest {
    private static String safe(String name) {
        return FileNames.safeStem(name, "photo");
    }

    @Test
    public void onlyTheLastExtensionGoes() {
        assertEquals("a.b", FileNames.stem("a.b.jpg"));
        assertEquals("plain", FileNames.stem("plain"));
        assertEquals(".hidden", FileNames.stem(".hidden"));
    }

    @Test
    public void whatFileSystemsRefuseIsReplaced() {
        assertEquals("_.._etc_x", safe("/../etc/x.png"));
        assertEquals("a_b_c", safe("a\nb:c.jpg"));
        assertEquals("Größe 1", safe("Größe 1.jpg"));
        assertEquals(100, safe(new String(new char[300]).replace('\0', 'n')).length());
    }

    @Test
    public void whatIsUnfinishedIsTold() {
        for (String name : new String[] {"photo.unfinished", ".edgesr123.png", "edgesr45.pte"}) {
            assertTrue(name, FileNames.isUnfinished(name));
        }
        for (String name : new String[] {"photo", "enlarged.png", "edgesr.png"}) {
            assertFalse(name, FileNames.isUnfinished(name));
        }
    }

    @Test
    public void whereNothingIsLeftThereIsAName() {
        assertEquals("photo", safe(null));
        assertEquals("photo", safe(""));
        assertEquals("photo", safe("  .jpg"));
    }
}
