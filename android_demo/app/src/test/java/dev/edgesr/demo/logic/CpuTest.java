package dev.edgesr.demo.logic;

import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import org.junit.Test;

public final class CpuTest {
    private static final String OLD = "processor\t: 0\nFeatures\t: fp asimd aes crc32 cpuid\n";
    private static final String NEW = "processor\t: 1\nFeatures\t: fp asimd atomics fphp asimddp\n";

    @Test
    public void everyCoreMustHaveAtomics() {
        assertTrue(Cpu.hasAtomics(NEW));
        assertFalse(Cpu.hasAtomics(OLD));
        assertFalse(Cpu.hasAtomics(NEW + OLD));
    }

    @Test
    public void aPartOfAnotherNameIsNoFeature() {
        assertFalse(Cpu.hasAtomics("Features\t: fp noatomics atomicsx\n"));
    }

    @Test
    public void whatNamesNoFeaturesIsTakenAsNew() {
        assertTrue(Cpu.hasAtomics(""));
        assertTrue(Cpu.hasAtomics("flags\t\t: sse avx\n"));
    }
}
