using Handbook.Torch;
using Handbook.Training.Options;
using Handbook.Training.Runs;

namespace Handbook.Training.Tests.Runs;

public sealed class RunDeviceTests
{
    [Fact]
    public void Of_LeftToTheMachine_SaysWhichAndWhy()
    {
        var choice = RunDevice.Of(new ModelOptions());
        Assert.Equal(LibtorchLibrary.HasCuda ? choice.Device.Kind : DeviceKind.Cpu, choice.Device.Kind);
        Assert.Matches(@"^(cpu|cuda:0) \(.+\)$", choice.ToString());
    }

    [Fact]
    public void Of_Cpu_IsObeyed() => Assert.Equal("cpu (as asked for)", RunDevice.Of(new ModelOptions { Device = "cpu" }).ToString());

    [Theory]
    [InlineData("gpu", "device: expected auto, cpu, cuda or cuda:N, found gpu.")]
    [InlineData("cuda:x", "device: expected auto, cpu, cuda or cuda:N, found cuda:x.")]
    [InlineData("meta", "device: expected auto, cpu, cuda or cuda:N, found meta.")]
    [InlineData("cuda:-1", "found cuda:-1.")]
    [InlineData("cuda:4711", "device: cuda:4711 is not to be had:")]
    public void Of_WhatIsNotThere_IsNamed(string wanted, string said) =>
        Assert.Contains(said, Assert.Throws<UserErrorException>(() => RunDevice.Of(new ModelOptions { Device = wanted })).Message,
            StringComparison.Ordinal);
}
